// Picking single pictures in a grid: the button starts it, then a click picks; e picks the one that has the focus.

const bar = document.getElementById("picked");
const start = document.querySelector("[data-pick]");
const grid = document.getElementById("grid");
const picked = new Set();
let picking = false;

const idOf = (hit) => hit.querySelector("a").pathname.split("/")[2];

function toggle(hit) {
  const id = idOf(hit);
  if (picked.has(id)) picked.delete(id);
  else picked.add(id);
  mark(hit);
  show(true);
}

function mark(hit) {
  const on = picked.has(idOf(hit));
  hit.classList.toggle("on", on);
  const link = hit.querySelector("a");
  if (on) link.setAttribute("aria-description", "picked");
  else link.removeAttribute("aria-description");
}

function show(on) {
  picking = on;
  bar.hidden = !on;
  grid.classList.toggle("picking", on);
  bar.elements.assets.value = [...picked].join(" ");
  bar.querySelector("[data-go]").disabled = !picked.size;
  bar.querySelector("[data-count]").textContent = picked.size ? `${picked.size} picked` : "Click the pictures that you mean";
}

function clear() {
  picked.clear();
  for (const hit of grid.querySelectorAll(".hit.on")) mark(hit);
  show(false);
}

if (bar && grid) {
  if (start) start.hidden = false;
  start?.addEventListener("click", () => (picking ? clear() : show(true)));
  bar.querySelector("[data-clear]").addEventListener("click", clear);
  grid.addEventListener("click", (event) => {
    const hit = event.target.closest(".hit");
    if (!picking || !hit || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    toggle(hit);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select, dialog[open]")) return;
    const hit = document.activeElement?.closest?.("#grid .hit");
    if (event.key === "e" && hit) { event.preventDefault(); toggle(hit); }
    if (event.key === "Escape" && picking) { event.preventDefault(); clear(); }
  });
  // Whoever comes back finds what was picked, as the browser kept it.
  window.addEventListener("pageshow", () => {
    for (const id of bar.elements.assets.value.split(" ").filter(Boolean)) picked.add(id);
    if (!picked.size) return;
    for (const hit of grid.querySelectorAll(".hit")) mark(hit);
    show(true);
  });
}
