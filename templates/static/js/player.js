// The page of a video: opens at its second, the strip below it, moments by click and by key, links that carry the time.

const player = document.querySelector("[data-player]");
const video = player?.querySelector("video");

const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [hours, minutes, rest] = parts;
  return `${hours ? `${hours}:${String(minutes).padStart(2, "0")}` : minutes}:${String(rest).padStart(2, "0")}`;
};
const plain = (seconds) => String(Math.round(seconds * 10) / 10);

// Read anew each time: htmx puts the moments that were asked for into the place of the shots.
const links = () => [...player.querySelectorAll(".moments a[data-at]")];
const length = () => (Number.isFinite(video.duration) && video.duration) || 0;

function seek(second) {
  const end = length();
  video.currentTime = Math.max(0, end ? Math.min(second, end - 0.05) : second);
}

// ---- opening at a moment -------------------------------------------------------------------------------------------

function begin() {
  const second = Number(video.dataset.begin);
  if (second && Math.abs(video.currentTime - second) > 0.5) seek(second);
  follow();
}

// ---- what plays is marked ------------------------------------------------------------------------------------------

function follow() {
  const now = video.currentTime;
  const head = player.querySelector(".timeline .head");
  if (head && length()) {
    const place = (now / length()) * 1000;
    head.setAttribute("x1", place);
    head.setAttribute("x2", place);
    head.removeAttribute("hidden");
  }
  for (const link of links()) {
    const here = Number(link.dataset.start) <= now && now < Math.max(Number(link.dataset.end), Number(link.dataset.start) + 0.5);
    if (here) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const like = player.querySelector("[data-like-this]");
  if (like) like.href = `${player.dataset.like}&at=${plain(now)}`;
}

// ---- moments -------------------------------------------------------------------------------------------------------

function step(direction) {
  const now = video.currentTime;
  const seconds = [...new Set(links().map((link) => Number(link.dataset.at)))].sort((one, other) => one - other);
  const next = direction > 0 ? seconds.find((second) => second > now + 0.5) : seconds.findLast((second) => second < now - 0.5);
  if (next !== undefined) seek(next);
}

function address() {
  const words = new URLSearchParams(player.dataset.carried);
  words.set("t", plain(video.currentTime));
  return `${location.origin}${player.dataset.page}?${words}`;
}

async function copy() {
  const said = player.querySelector("[data-copied]");
  history.replaceState(null, "", address());
  try {
    await navigator.clipboard.writeText(address());
    said.textContent = `Copied, at ${clock(video.currentTime)}.`;
  } catch {
    said.textContent = "The address of this page now carries the time: copy it from there.";
  }
}

// ---- the strip -----------------------------------------------------------------------------------------------------

const strip = (event) => event.target.closest?.("[data-timeline]");

function secondAt(timeline, event) {
  const area = timeline.getBoundingClientRect();
  return Math.min(Math.max((event.clientX - area.left) / area.width, 0), 1) * length();
}

let resting = null; // where the pointer stands on the strip: what is shown there may arrive after it

function glance(timeline, event) {
  resting = [timeline, event];
  const second = secondAt(timeline, event);
  const shown = timeline.querySelector(".glance");
  const still = shown.querySelector(".still");
  const cues = video.textTracks[0]?.cues ?? [];
  const cue = [...cues].find((one) => one.startTime <= second && second < one.endTime);
  const part = cue?.text.match(/^(.+)#xywh=(\d+),(\d+),(\d+),(\d+)/);
  if (part) {
    const [, picture, left, top, width, height] = part;
    Object.assign(still.style, {
      backgroundImage: `url("${picture}")`, backgroundPosition: `-${left}px -${top}px`, width: `${width}px`, height: `${height}px`,
    });
  }
  shown.querySelector(".when").textContent = clock(second);
  shown.hidden = false;
  const half = shown.offsetWidth / 2;
  const across = event.clientX - timeline.getBoundingClientRect().left;
  shown.style.left = `${Math.min(Math.max(across, half), timeline.clientWidth - half)}px`;
}

function leave() {
  resting = null;
  for (const shown of player.querySelectorAll(".glance")) shown.hidden = true;
}

function listen() {
  video.addEventListener("loadedmetadata", begin);
  for (const name of ["timeupdate", "seeked"]) video.addEventListener(name, follow);
  if (video.readyState >= 1) begin();
  // The track of previews is data; it is loaded when it is not disabled.
  if (video.textTracks[0]) video.textTracks[0].mode = "hidden";
  video.querySelector("track")?.addEventListener("load", () => { if (resting?.[0].isConnected) glance(...resting); });

  player.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-at]");
    const stepping = event.target.closest("[data-step]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      seek(Number(link.dataset.at));
    } else if (stepping) step(Number(stepping.dataset.step));
    else if (event.target.closest("[data-copy]")) copy();
  });
  let held = null;
  player.addEventListener("pointerdown", (event) => {
    held = strip(event);
    if (held) seek(secondAt(held, event));
  });
  document.addEventListener("pointerup", () => { held = null; });
  player.addEventListener("pointermove", (event) => {
    const timeline = strip(event);
    if (held) seek(secondAt(held, event));
    if (timeline && length()) glance(timeline, event);
    else leave();
  });
  player.addEventListener("pointerleave", leave);
  // What was asked for has arrived.
  document.body.addEventListener("htmx:after:swap", follow);
  document.body.addEventListener("htmx:afterSwap", follow);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest?.("input, textarea, select, button, summary, dialog[open], [contenteditable], .hit")) return;
    const act = KEYS[event.key];
    // The player's own controls know these already.
    if (!act || (event.target === video && !"np".includes(event.key))) return;
    if (event.key === " " && event.target.closest?.("a")) return;
    event.preventDefault();
    act();
  });
  for (const button of player.querySelectorAll("[data-copy], [data-step]")) button.hidden = false;
}

const KEYS = {
  " ": () => (video.paused ? video.play().catch(() => {}) : video.pause()),
  ArrowLeft: () => seek(video.currentTime - 5),
  ArrowRight: () => seek(video.currentTime + 5),
  n: () => step(1),
  p: () => step(-1),
};

if (video) listen();

// Looking inside the video leads back to this page, with the strip for what was asked.
player?.querySelector("[data-inside]")?.addEventListener("submit", (event) => {
  const words = new FormData(event.target).get("q").trim();
  event.preventDefault();
  location.href = words ? `${player.dataset.page}?${new URLSearchParams({ q: words })}` : player.dataset.page;
});
