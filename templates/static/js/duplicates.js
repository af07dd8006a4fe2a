// The review of near-duplicates by keyboard. Without this file every button still works.

const groups = () => [...document.querySelectorAll("#groups .group")];
const current = () => document.activeElement?.closest?.(".group") ?? groups()[0];

function go(offset) {
  const all = groups();
  const at = all.indexOf(document.activeElement?.closest?.(".group"));
  const next = at < 0 ? all[0] : all[at + offset];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "start", behavior: "smooth" });
}

function press(key) {
  current()?.querySelector(`[data-key="${key}"]`)?.click();
}

function toggle(number) {
  const box = current()?.querySelectorAll(".pickone input")[number - 1];
  if (box && !box.disabled) box.click();
}

// Of the decisions on this page the one that was made last.
function lastUndo() {
  return [...document.querySelectorAll("[data-undo]")].sort((one, other) => other.dataset.undo - one.dataset.undo)[0];
}

// What the second button will do, in figures.
function count(group) {
  const boxes = [...group.querySelectorAll(".pickone input")];
  const button = group.querySelector('[value="chosen"]');
  if (!button || !boxes.length) return;
  const kept = boxes.filter((box) => box.checked).length;
  button.disabled = kept === 0;
  button.textContent = kept === boxes.length ? "Keep all of them" : `Keep ${kept}, trash ${boxes.length - kept}`;
}

for (const group of groups()) {
  // Their curators decide about these; unticking them would only be refused.
  for (const box of group.querySelectorAll("[data-stays]")) box.addEventListener("click", (event) => event.preventDefault());
  count(group);
}
document.addEventListener("change", ({ target }) => {
  const group = target.closest?.(".group");
  if (group) count(group);
});

// After a decision the next group is at hand.
document.addEventListener("submit", ({ target }) => {
  if (!target.matches?.(".group")) return;
  const all = groups();
  const next = all[all.indexOf(target) + 1];
  if (next) setTimeout(() => next.focus({ preventScroll: true }));
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog[open]")) return;
  const { key } = event;
  if (key === "j" || key === "k") go(key === "j" ? 1 : -1);
  else if (key === "b" || key === "c" || key === "d") press(key);
  else if (key === "u") lastUndo()?.click();
  else if (key >= "1" && key <= "9") toggle(Number(key));
  else return;
  event.preventDefault();
});
