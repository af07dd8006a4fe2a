// The review by keyboard. Without this file every button still works.

const link = document.getElementById("blur");
const reason = document.getElementById("reason");

// Blurred or clear, without leaving the page: what was written stays.
function show(clear) {
  for (const picture of document.querySelectorAll("[data-clear]")) {
    picture.src = clear ? picture.dataset.clear : picture.dataset.blurred;
    if (picture.dataset.name) picture.alt = clear ? picture.dataset.name : "Blurred picture";
  }
  link.textContent = clear ? "Blur it" : "Show it clearly";
  link.setAttribute("aria-pressed", clear);
}

if (link) {
  link.setAttribute("role", "button");
  link.setAttribute("aria-pressed", link.textContent.startsWith("Blur"));
  link.addEventListener("click", (event) => {
    event.preventDefault();
    show(link.getAttribute("aria-pressed") !== "true");
  });
  link.addEventListener("keydown", (event) => {
    if (event.key === " ") { event.preventDefault(); link.click(); }
  });
}

// One answer a flag, however often a key is pressed.
document.getElementById("decide")?.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "1";
});

// Escalating and correcting need a reason: say so before anything is sent.
function missing(button) {
  const needs = button.value === "escalate" || button.textContent.includes("after all");
  if (!needs || reason.value.trim()) return false;
  reason.setCustomValidity("Say why, in a few words.");
  reason.reportValidity();
  reason.focus();
  return true;
}

reason?.addEventListener("input", () => reason.setCustomValidity(""));
for (const button of document.querySelectorAll("#decide button")) {
  button.addEventListener("click", (event) => {
    reason.setCustomValidity("");
    if (missing(button)) event.preventDefault();
  });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.repeat) return;
  if (event.target === reason && event.key === "Escape") return reason.blur();
  if (event.target.closest?.("input, textarea, select, dialog[open]")) return;
  if (event.key === "r" && reason) reason.focus();
  else {
    const wanted = /^[a-z]$/.test(event.key) && document.querySelector(`[data-key="${event.key}"]`);
    if (!wanted) return;
    wanted.click();
  }
  event.preventDefault();
});
