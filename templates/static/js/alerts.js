// The page of alerts by keyboard: j and k from alert to alert, r marks one as read. Every button works without this.

const groups = () => [...document.querySelectorAll("#groups .group")];
const current = () => document.activeElement?.closest?.(".group");

function go(offset) {
  const all = groups();
  const at = all.indexOf(current());
  const next = at < 0 ? all[0] : all[at + offset];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "start", behavior: "smooth" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest?.("input, textarea, select, dialog[open]")) return;
  if (event.key === "j") go(1);
  else if (event.key === "k") go(-1);
  else if (event.key === "r") (current() ?? groups()[0])?.querySelector('[data-key="r"]')?.click();
  else return;
  event.preventDefault();
});
