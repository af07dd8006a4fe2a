// A box on a picture: only that part is searched for. Drawn with the pointer, or moved with the arrow keys.

const STEP = 0.02;
const LEAST = 0.04; // of a side
const buttons = [...document.querySelectorAll("[data-part]")];
for (const button of buttons) button.hidden = false; // of no use without this script

function make(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

const within = (number, low, high) => Math.min(Math.max(number, low), high);

function open(button) {
  const dialog = make("dialog", "crop");
  dialog.setAttribute("aria-label", "Search for a part of the picture");
  const view = make("div", "field-of-view");
  const picture = make("img", "");
  picture.src = button.dataset.part;
  picture.alt = "";
  const frame = make("div", "frame");
  frame.tabIndex = 0;
  frame.setAttribute("role", "application");
  frame.setAttribute("aria-label", "The part to search for. Arrow keys move it, with Shift they change its size.");
  const actions = make("div", "actions");
  const go = make("button", "button main", "Search for this part");
  const leave = make("button", "button", "Cancel");
  go.type = leave.type = "button";
  actions.append(make("p", "", "Draw a box around what you mean."), leave, go);
  view.append(picture, frame);
  dialog.append(view, actions);
  document.body.append(dialog);

  let box = { left: 0.25, top: 0.25, width: 0.5, height: 0.5 };
  const show = (changed) => {
    box = { ...box, ...changed };
    box.width = within(box.width, LEAST, 1);
    box.height = within(box.height, LEAST, 1);
    box.left = within(box.left, 0, 1 - box.width);
    box.top = within(box.top, 0, 1 - box.height);
    for (const side of Object.keys(box)) frame.style[side] = `${box[side] * 100}%`;
  };
  show({});

  view.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const area = view.getBoundingClientRect();
    const at = ({ clientX, clientY }) => [within((clientX - area.left) / area.width, 0, 1), within((clientY - area.top) / area.height, 0, 1)];
    const [x, y] = at(event);
    view.setPointerCapture(event.pointerId);
    const draw = (moved) => {
      const [u, v] = at(moved);
      show({ left: Math.min(x, u), top: Math.min(y, v), width: Math.abs(u - x), height: Math.abs(v - y) });
    };
    view.addEventListener("pointermove", draw);
    const stop = () => view.removeEventListener("pointermove", draw);
    for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, stop, { once: true });
  });
  frame.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = way.map((side) => side * STEP);
    show(event.shiftKey ? { width: box.width + x, height: box.height + y } : { left: box.left + x, top: box.top + y });
  });
  go.addEventListener("click", () => {
    // The query as an address: the page's own may be the name of a saved one, which is not told a box.
    const address = new URL(button.dataset.address || "/", location.href);
    if (button.dataset.like) address.searchParams.set("like", button.dataset.like);
    const shares = [box.left, box.top, box.width, box.height].map((share) => Math.floor(share * 1000) / 1000);
    address.searchParams.set("box", shares.join(","));
    location.href = address;
  });
  leave.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { dialog.remove(); button.focus(); });
  dialog.showModal();
  frame.focus();
}

for (const button of buttons) button.addEventListener("click", () => open(button));
