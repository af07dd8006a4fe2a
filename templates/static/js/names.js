// Names that are offered while one types: of tags, of collections. Without this file one types them whole.

const waiting = new WeakMap();
const WAIT = 120;

/** The list that an input names, or one of its own. */
function listOf(input) {
  if (input.list) return input.list;
  const list = document.createElement("datalist");
  list.id = `names-of-${input.id || input.name}`;
  input.after(list);
  input.setAttribute("list", list.id);
  return list;
}

/** Commas separate: what is being typed is what stands behind the last of them. */
function split(input) {
  const at = input.value.lastIndexOf(",") + 1;
  return [input.value.slice(0, at), input.value.slice(at).trim()];
}

async function offer(input) {
  const [before, typed] = split(input);
  if (!typed) return;
  const address = new URL(input.dataset.names, location.href);
  address.searchParams.set("q", typed);
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok || split(input)[1] !== typed) return;
  const { names } = await answer.json();
  listOf(input).replaceChildren(
    ...names.map((name) => Object.assign(document.createElement("option"), { value: before ? `${before} ${name}` : name })),
  );
}

addEventListener("input", ({ target, inputType }) => {
  if (!target.matches?.("input[data-names]") || inputType === "insertReplacementText") return;
  clearTimeout(waiting.get(target));
  waiting.set(target, setTimeout(() => offer(target), WAIT));
});
