// Keys: / box, arrows through the grid, s similar, x without, Esc back or close, ? the list of keys.

const hits = () => [...document.querySelectorAll(".hit > a:first-child")];
const current = () => document.activeElement?.closest?.(".hit")?.querySelector("a");

function typing(target) {
  return target.closest?.("input, textarea, select, [contenteditable], dialog[open]");
}

function step(offset) {
  const all = hits();
  const at = all.indexOf(current());
  focusOn(at < 0 ? all[0] : all[at + offset]);
}

// The nearest picture in the row above or below: rows differ in where their pictures begin.
function jump(direction) {
  const from = current()?.getBoundingClientRect();
  if (!from) return step(0);
  const middle = from.left + from.width / 2;
  let best, least = Infinity;
  for (const hit of hits()) {
    const rect = hit.getBoundingClientRect();
    const rows = (rect.top - from.top) * direction;
    if (rows < from.height / 2) continue;
    const far = rows * 4 + Math.abs(rect.left + rect.width / 2 - middle);
    if (far < least) [best, least] = [hit, far];
  }
  focusOn(best);
}

function focusOn(hit) {
  hit?.focus({ preventScroll: true });
  hit?.scrollIntoView({ block: "nearest" });
}

function similar() {
  const asset = document.querySelector(".asset")?.dataset.asset;
  const link = current()?.parentElement.querySelector(".similar");
  if (link) link.click();
  else if (asset) location.href = document.querySelector("[data-like-this]")?.href ?? `/?like=${asset}`;
}

function leave() {
  const open = document.querySelector("details[name=sheet][open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  } else if (document.querySelector(".asset") && document.referrer.startsWith(location.origin)) history.back();
}

function without() {
  const pick = document.getElementById("without");
  if (!pick) return;
  pick.open = true;
  pick.querySelector("input").focus();
}

const KEYS = {
  "/": () => { const words = document.querySelector("#search [name=q]"); words?.focus(); words?.select(); },
  "?": () => document.getElementById("keys")?.showModal(),
  ArrowRight: () => step(1),
  ArrowLeft: () => step(-1),
  ArrowDown: () => jump(1),
  ArrowUp: () => jump(-1),
  s: similar,
  x: without,
  Escape: leave,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (typing(event.target)) {
    if (event.key === "Escape" && !event.target.closest("dialog")) { event.target.blur(); leave(); }
    // From the box down into the pictures.
    if (event.key === "ArrowDown" && event.target.name === "q" && hits().length) { event.preventDefault(); step(0); }
    return;
  }
  const act = KEYS[event.key];
  if (!act) return;
  // Without a grid the arrows keep their meaning: they scroll.
  if (event.key.startsWith("Arrow") && (!hits().length || document.querySelector(".asset") && !current())) return;
  event.preventDefault();
  act();
});
