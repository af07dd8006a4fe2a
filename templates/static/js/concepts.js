// The preview of a concept follows what is written and the slider. Without this file the buttons do the same.

const form = document.querySelector("#keeping");
let waiting;

function look(after) {
  clearTimeout(waiting);
  waiting = setTimeout(() => form.dispatchEvent(new CustomEvent("look", { bubbles: true })), after);
}

// How many would be tagged, told from the histogram while the slider moves.
function count(slider) {
  const line = Number(slider.value);
  const bins = slider.dataset.bins.split(",").filter(Boolean).map((bin) => bin.split(":").map(Number));
  const wide = bins.length > 1 ? bins[1][0] - bins[0][0] : 1;
  let inside = 0;
  const bars = document.querySelectorAll("#preview rect");
  bins.forEach(([start, many], place) => {
    inside += many * Math.min(1, Math.max(0, (start + wide - line) / wide));
    bars[place]?.setAttribute("class", start + wide / 2 >= line ? "in" : "out");
  });
  document.querySelector("#would-be").textContent = `about ${Math.round(inside * Number(slider.dataset.share))}`;
}

form?.addEventListener("input", ({ target }) => {
  if (target.id === "line-slider") count(target);
});
form?.addEventListener("change", ({ target }) => {
  look(400); // keys move the slider step by step
});
form?.addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (button?.matches("[data-look]")) {
    event.preventDefault();
    look(0);
  } else if (button?.matches("[data-calibrate]")) {
    event.preventDefault();
    document.querySelector("#line-slider").disabled = true; // nothing is sent: the calibrated one counts
    look(0);
  }
});

// y and n judge the picture that has the focus; the next one gets it.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const tile = document.activeElement?.closest?.(".judged");
  const button = tile?.querySelector(`[data-key="${event.key}"]`);
  if (!button) return;
  event.preventDefault();
  const next = tile.nextElementSibling?.querySelector("a");
  button.click();
  if (next) setTimeout(() => next.focus());
});
