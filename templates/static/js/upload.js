import { filesIn } from "./folders.js";

// Upload: one file a request, three at a time, each with its progress, then its state until it is ready.

const form = document.getElementById("upload");
const list = document.getElementById("files");
const blank = document.getElementById("file");
const drop = document.getElementById("drop");
const tally = document.getElementById("tally");
const PARALLEL = 3;
const waiting = [];
const files = []; // everything of this visit: {file, row, state, asset, retry}
let running = 0;
let pause = 2000;
let timer = 0;

function add(found) {
  for (const file of found) {
    if (file.name.startsWith(".") || (!/^(image|video)\//.test(file.type) && !/\.\w+$/.test(file.name))) continue;
    const row = blank.content.firstElementChild.cloneNode(true);
    row.querySelector(".name").textContent = file.webkitRelativePath || file.name;
    const entry = { file, row, state: "waiting" };
    files.push(entry);
    waiting.push(entry);
    list.prepend(row);
  }
  next();
}

function next() {
  while (running < PARALLEL && waiting.length) send(waiting.shift());
  count();
}

function send(entry) {
  const body = new FormData();
  const collection = form.elements.collection?.value;
  if (form.elements.new.value.trim()) body.set("new", form.elements.new.value.trim());
  else if (collection) body.set("collection", collection);
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  body.set("of", files.length);
  body.set("files", entry.file, entry.file.name);
  const request = new XMLHttpRequest();
  request.open("POST", form.action || location.pathname);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.onprogress = ({ loaded, total }) => { entry.row.querySelector("progress").value = loaded / total; };
  request.onload = () => arrived(entry, request.status, request.response);
  request.onerror = () => refuse(entry, "The connection broke off.", () => { waiting.push(entry); next(); });
  request.onloadend = () => { running -= 1; next(); };
  running += 1;
  show(entry, "sending", "Uploading");
  request.send(body);
}

function arrived(entry, status, answer) {
  if (status >= 400 || !answer?.asset) {
    const sentence = answer?.error?.message ?? "The archive could not take this file. Please try again.";
    const again = status >= 500 || !answer ? () => { waiting.push(entry); next(); } : null;
    return refuse(entry, sentence, again);
  }
  entry.asset = answer.asset;
  const link = Object.assign(document.createElement("a"), { href: answer.url, textContent: entry.row.querySelector(".name").textContent });
  entry.row.querySelector(".name").replaceChildren(link);
  if (answer.status !== "pending") return told(entry, answer, answer.new ? "Added" : "Already here");
  show(entry, "pending", answer.new ? "Being prepared" : "Already here, being prepared");
  pause = 2000;
  watch();
}

function told(entry, { status, error, thumbnail, retry, progress }, label) {
  if (status === "pending" && progress) {
    entry.row.querySelector(".why").textContent = progress.said;
    const bar = entry.row.querySelector("progress");
    bar.hidden = false;
    bar.value = progress.share;
  }
  if (status === "failed") return refuse(entry, error || "This file could not be read.", () => again(entry, retry));
  if (status !== "ready") return;
  entry.row.querySelector(".mini").replaceChildren(Object.assign(new Image(), { src: thumbnail, alt: "" }));
  show(entry, "ready", label ?? "Ready");
}

async function again(entry, address) {
  const token = form.elements.csrfmiddlewaretoken.value;
  await fetch(address, { method: "POST", headers: { "X-CSRFToken": token } });
  show(entry, "pending", "Being prepared");
  pause = 2000;
  watch();
}

function refuse(entry, sentence, retry) {
  show(entry, "failed", "", sentence);
  entry.retry = retry;
  if (!retry) { entry.row.querySelector(".state").textContent = "Not taken"; return; }
  const button = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "Try again" });
  button.addEventListener("click", () => { entry.retry = null; retry(); });
  entry.row.querySelector(".state").replaceChildren(button);
}

function show(entry, state, label, why = "") {
  entry.state = state;
  entry.row.className = { ready: "good", failed: "bad" }[state] ?? "";
  entry.row.querySelector(".state").textContent = label;
  entry.row.querySelector(".why").textContent = why;
  entry.row.querySelector("progress").hidden = state !== "sending";
  count();
}

// Ask for the states of what is being prepared: every two seconds, less often while nothing changes.
function watch() {
  clearTimeout(timer);
  timer = setTimeout(ask, pause);
}

async function ask() {
  const open = files.filter((entry) => entry.state === "pending");
  if (!open.length) return;
  const asked = open.slice(0, 100).map((entry) => `id=${entry.asset}`).join("&");
  try {
    const answer = await (await fetch(`${form.dataset.status}?${asked}`, { headers: { Accept: "application/json" } })).json();
    const states = new Map(answer.assets.map((asset) => [asset.asset, asset]));
    const before = open.length;
    for (const entry of open) if (states.has(entry.asset)) told(entry, states.get(entry.asset));
    pause = files.filter((entry) => entry.state === "pending").length < before ? 2000 : Math.min(pause * 1.5, 20000);
  } catch { pause = Math.min(pause * 2, 20000); }
  watch();
}

function count() {
  const of = (...states) => files.filter((entry) => states.includes(entry.state)).length;
  const parts = [`${of("ready")} of ${files.length} ready`];
  if (of("waiting", "sending")) parts.push(`${of("waiting", "sending")} to upload`);
  if (of("pending")) parts.push(`${of("pending")} being prepared`);
  if (of("failed")) parts.push(`${of("failed")} failed`);
  tally.hidden = !files.length;
  tally.querySelector("[data-text]").textContent = parts.join(" · ");
  tally.querySelector("[data-retry-all]").hidden = files.filter((entry) => entry.retry).length < 2;
}

async function dropped(event) {
  event.preventDefault();
  drop.hidden = true;
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  add(entries.length ? (await Promise.all(entries.map(filesIn))).flat() : event.dataTransfer.files);
}

form.querySelectorAll("[data-js]").forEach((part) => { part.hidden = false; });
form.addEventListener("submit", (event) => event.preventDefault());
function take(input) {
  add([...input.files]);
  input.value = "";
}
form.addEventListener("change", ({ target }) => target.type === "file" && take(target));
// Chosen before this script was there, on a slow line.
for (const input of form.querySelectorAll("input[type=file]")) if (input.files.length) take(input);
tally.querySelector("[data-retry-all]").addEventListener("click", () => {
  for (const entry of files.filter((found) => found.retry)) { const { retry } = entry; entry.retry = null; retry(); }
});
document.addEventListener("dragover", (event) => { event.preventDefault(); drop.hidden = false; });
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.hidden = true; });
document.addEventListener("drop", dropped);
document.addEventListener("paste", (event) => { if (event.clipboardData.files.length) add([...event.clipboardData.files]); });
