// Tags on the cards of a contact sheet: typed, put on, taken off, and no page is loaded. "t" on a card goes to its
// box, Enter puts it on, Escape goes back to the card. Without this file the buttons do the same with a page.

const quick = document.querySelector("#quick");
const said = document.querySelector("#quick-said");

/** Send what a button would, and put the answer where the tags of the card were. */
async function send(action, name, value, field) {
  const data = new FormData();
  data.set("csrfmiddlewaretoken", quick.querySelector("[name=csrfmiddlewaretoken]").value);
  data.set(name, value);
  const answer = await fetch(action, { method: "POST", body: data, headers: { "X-Part": "tags" } }).catch(() => null);
  const old = field.closest(".card-tags");
  if (!answer || (!answer.ok && answer.status !== 400)) {
    said.textContent = "That did not work. Reload the page, then try again.";
    return;
  }
  const part = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".card-tags");
  if (!part) return location.reload();
  const wrong = part.querySelector(".problem");
  old.replaceWith(part);
  const input = part.querySelector("input");
  if (wrong) input.value = value;
  input?.focus();
  said.textContent = wrong ? "" : name === "remove" ? `Took off “${value}”.` : `Put on “${value}”.`;
}

addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.matches?.(".contact-sheet input.action-select") && key === "t") {
    const input = target.closest("tr").querySelector(".add-tag input");
    if (!input) return;
    event.preventDefault();
    input.focus();
  } else if (target.matches?.(".add-tag input")) {
    if (key === "Escape") target.closest("tr").querySelector("input.action-select").focus();
    if (key !== "Enter") return;
    event.preventDefault();
    if (target.value.trim()) send(target.nextElementSibling.formAction, target.name, target.value, target);
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".card-tags button");
  if (!button || !quick) return;
  event.preventDefault();
  const input = button.closest(".add-tag")?.querySelector("input");
  if (input && !input.value.trim()) input.focus();
  else if (input) send(button.formAction, input.name, input.value, input);
  else send(button.formAction, "remove", button.value, button);
});
