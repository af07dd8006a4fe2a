// How much a term counts: its chip is dragged to the right for more, to the left for less; on its number the keys
// arrow up and down, + and - do the same, and Enter asks at once. Without this file the number is a plain choice.

const STRIDE = 24; // pixels from one weight to the next
const BEGIN = 6; // and until a press is a drag
const REST = 700; // milliseconds after the last key
const KEYS = { ArrowUp: 1, ArrowRight: 1, "+": 1, "=": 1, ArrowDown: -1, ArrowLeft: -1, "-": -1, "−": -1 };
const box = document.getElementById("search");
const choices = [...document.querySelectorAll(".chip .weight select")];
let rest = 0;

const nameOf = (choice) => choice.name || `without ${choice.dataset.words}`;

// The heaviest comes first in the list.
function show(choice) {
  const { options, selectedIndex: at } = choice;
  const weight = choice.closest(".weight");
  weight.classList.toggle("usual", !options[at].value);
  weight.querySelector("span").textContent = options[at].dataset.sign;
  choice.closest(".chip").style.setProperty("--fill", 1 - at / (options.length - 1));
}

function choose(choice, index) {
  choice.selectedIndex = Math.min(Math.max(index, 0), choice.options.length - 1);
  show(choice);
}

// What is left out in words has its number behind them.
function ask() {
  clearTimeout(rest);
  rest = 0;
  const words = choices.filter((choice) => choice.dataset.words);
  if (words.length) {
    box.elements.without.value = words.map(({ dataset, value }) => (value ? `${dataset.words}^${value}` : dataset.words)).join(", ");
  }
  box.requestSubmit();
}

function byKeys(choice) {
  choice.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const way = KEYS[event.key];
    if (event.key === "Enter" && rest) remembered(choice);
    else if (way) {
      choose(choice, choice.selectedIndex - way);
      clearTimeout(rest);
      rest = setTimeout(remembered, REST, choice);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  choice.addEventListener("change", () => { show(choice); remembered(choice); });
}

// The page is made anew; who weighs by keys goes on where they were.
function remembered(choice) {
  if (document.activeElement === choice) sessionStorage.setItem("weighed", nameOf(choice));
  ask();
}

function byDragging(chip, choice) {
  let drag = null;
  const giveUp = () => {
    if (drag) choose(choice, drag.from);
    chip.classList.remove("weighing");
  };
  const end = () => {
    if (!drag) return;
    const { moved, from } = drag;
    drag = null;
    chip.classList.remove("weighing");
    if (!moved) return;
    // The press was no click on what lies below.
    const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };
    window.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => window.removeEventListener("click", swallow, { capture: true }));
    if (choice.selectedIndex !== from) ask();
  };
  chip.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary || event.target.closest(".off, select")) return;
    drag = { x: event.clientX, from: choice.selectedIndex, moved: false, over: false };
  });
  chip.addEventListener("pointermove", (event) => {
    if (!drag || drag.over || !event.isPrimary) return;
    const far = event.clientX - drag.x;
    if (!drag.moved && Math.abs(far) < BEGIN) return;
    if (!drag.moved) {
      drag.moved = true;
      chip.setPointerCapture(event.pointerId);
      chip.classList.add("weighing");
    }
    choose(choice, drag.from - Math.round(far / STRIDE));
  });
  chip.addEventListener("pointerup", end);
  chip.addEventListener("pointercancel", () => { giveUp(); drag = null; });
  window.addEventListener("keydown", (event) => {
    if (!drag?.moved || event.key !== "Escape") return;
    event.stopPropagation();
    giveUp();
    drag.over = true; // until the button is let go
  }, { capture: true });
  chip.addEventListener("dragstart", (event) => event.preventDefault());
}

for (const choice of choices) {
  const chip = choice.closest(".chip");
  choice.closest(".weight").hidden = false; // of what is left out: of no use without this script
  chip.classList.add("weighs");
  show(choice);
  byKeys(choice);
  byDragging(chip, choice);
}
const last = sessionStorage.getItem("weighed");
sessionStorage.removeItem("weighed");
if (last) choices.find((choice) => nameOf(choice) === last)?.focus({ preventScroll: true });
