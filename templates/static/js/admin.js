// Keys of a contact sheet: arrows move, space chooses (the checkbox's own), Enter opens. Without this file all
// of it works by Tab and by mouse.

const sheet = document.querySelector(".contact-sheet #result_list");

/** The box in the row above or below that lies nearest in x. */
function above(boxes, at, direction) {
  const { left, top } = boxes[at].closest("tr").getBoundingClientRect();
  const rows = boxes
    .map((box) => ({ box, place: box.closest("tr").getBoundingClientRect() }))
    .filter(({ place }) => (place.top - top) * direction > 1);
  rows.sort((a, b) => (a.place.top - b.place.top) * direction || Math.abs(a.place.left - left) - Math.abs(b.place.left - left));
  return rows[0]?.box;
}

const open = (box) => box.closest("tr").querySelector("a.name").click();

sheet?.addEventListener("keydown", (event) => {
  const box = event.target;
  if (!box.matches("input.action-select") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter") {
    event.preventDefault();
    open(box);
    return;
  }
  const boxes = [...sheet.querySelectorAll("input.action-select")];
  const at = boxes.indexOf(box);
  const next = {
    ArrowLeft: () => boxes[at - 1],
    ArrowRight: () => boxes[at + 1],
    ArrowUp: () => above(boxes, at, -1),
    ArrowDown: () => above(boxes, at, 1),
  }[event.key]?.();
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.closest("tr").scrollIntoView({ block: "nearest" });
});

sheet?.addEventListener("dblclick", (event) => {
  const picture = event.target.closest("label.picture");
  if (picture) open(picture);
});

// Nothing is chosen: the buttons would do nothing, and say so only after a round trip.
const list = document.querySelector("#result_list");
const tools = document.querySelector("#changelist .actions .tools");
if (tools && list) {
  const weigh = () => {
    const some = list.querySelector("input.action-select:checked") !== null;
    for (const button of tools.querySelectorAll("button[name=action]")) button.disabled = !some;
  };
  document.addEventListener("click", () => setTimeout(weigh));
  document.addEventListener("change", () => setTimeout(weigh));
  addEventListener("pageshow", () => setTimeout(weigh));
  weigh();
}

// A sheet of filters, or of the account, closes when one looks elsewhere.
addEventListener("click", (event) => {
  for (const details of document.querySelectorAll("details.filter[open], details.menu[open]"))
    if (!details.contains(event.target)) details.open = false;
});
addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.matches("input, textarea, select")) {
    event.preventDefault();
    document.querySelector("#searchbar")?.focus();
  }
  if (event.key !== "Escape") return;
  for (const details of document.querySelectorAll("details.filter[open], details.menu[open]")) {
    details.open = false;
    details.querySelector("summary").focus();
  }
});
