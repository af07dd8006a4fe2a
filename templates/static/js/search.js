// The search page and the box on every page: reference pictures by drop, paste or choice, and calm while waiting.

const box = document.getElementById("search");
const byPicture = document.getElementById("by-picture");
const chooser = document.querySelector("[data-by-picture]");
const drop = document.getElementById("drop");
const uploads = document.getElementById("upload") !== null; // that page has its own drop and paste

function findBy(file) {
  if (!file || !file.type.startsWith("image/")) return;
  const carried = new DataTransfer();
  carried.items.add(file);
  chooser.files = carried.files;
  sendPicture();
}

function sendPicture() {
  const words = box.elements.q.value.trim();
  const address = new URL(byPicture.action);
  if (words) address.searchParams.set("q", words);
  else address.searchParams.delete("q"); // cleared since the page was made
  byPicture.action = address;
  waiting();
  byPicture.requestSubmit();
}

// Empty places for pictures, in the proportions of real ones, until the answer is there.
function waiting() {
  const bones = document.getElementById("bones");
  const content = document.getElementById("content");
  if (!bones) return;
  const grid = document.createElement("ul");
  grid.className = "grid";
  grid.id = "waiting";
  grid.setAttribute("aria-label", "Searching");
  grid.append(bones.content.cloneNode(true));
  for (const child of content.children) child.hidden = true;
  content.append(grid);
}

function stopWaiting() {
  const grid = document.getElementById("waiting");
  if (!grid) return;
  grid.remove();
  for (const child of document.getElementById("content").children) child.hidden = false;
}

if (box) {
  box.addEventListener("submit", waiting);
  // Addresses carry only what was asked.
  box.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (!String(value).trim()) formData.delete(name);
  });
  chooser.addEventListener("change", () => chooser.files.length && sendPicture());
}
window.addEventListener("pageshow", stopWaiting);

if (box && !uploads) {
  let depth = 0;
  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => { if (carriesFile(event)) { depth += 1; drop.hidden = false; } });
  document.addEventListener("dragleave", (event) => { if (carriesFile(event) && --depth <= 0) drop.hidden = true; });
  document.addEventListener("dragover", (event) => carriesFile(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    depth = 0;
    drop.hidden = true;
    findBy(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((found) => found.type.startsWith("image/"));
    if (file) { event.preventDefault(); findBy(file); }
  });
}

// What weighs more, the picture or the words: asked anew when the slider comes to rest.
document.addEventListener("change", ({ target }) => target.matches?.("[data-submit]") && box.requestSubmit());

// Sheets close when somebody looks elsewhere.
document.addEventListener("click", ({ target }) => {
  for (const sheet of document.querySelectorAll("details[name=sheet][open]")) if (!sheet.contains(target)) sheet.open = false;
});

// The chosen picture grows into its page (browsers without view transitions simply go there).
document.addEventListener("click", ({ target }) => {
  const picture = target.closest?.(".hit > a")?.querySelector("img");
  if (picture) picture.style.viewTransitionName = "picture";
});
window.addEventListener("pageshow", () => {
  for (const picture of document.querySelectorAll(".hit img")) picture.style.removeProperty("view-transition-name");
});
