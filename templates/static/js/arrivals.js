// Pictures that are being prepared appear by themselves: ask for their states, less often while nothing changes.

const status = document.body.dataset.status;
let pause = 3000;

async function look() {
  const waiting = [...document.querySelectorAll("[data-pending]")].slice(0, 100);
  if (!waiting.length) return;
  const asked = new URLSearchParams(waiting.map((place) => ["id", place.dataset.pending]));
  pause = Math.min(pause * 1.5, 30000);
  try {
    const answer = await (await fetch(`${status}?${asked}`, { headers: { Accept: "application/json" } })).json();
    const states = new Map(answer.assets.map((asset) => [asset.asset, asset]));
    for (const place of waiting) arrive(place, states.get(place.dataset.pending));
  } catch { /* asked again after the pause */ }
  setTimeout(look, pause);
}

function arrive(place, state) {
  const bar = place.querySelector("[data-progress]");
  if (bar && state?.progress) {
    bar.querySelector("[data-said]").textContent = state.progress.said;
    bar.querySelector("progress").value = state.progress.share;
    pause = 3000;
  }
  if (!state || state.status === "pending") return;
  pause = 3000;
  if (place.matches(".asset")) return location.reload();
  delete place.dataset.pending;
  place.className = state.status === "ready" ? `hit ${state.shape}` : `${place.className} failed`;
  if (state.status !== "ready") return;
  const name = place.querySelector("b")?.textContent ?? "";
  place.querySelector(".waits").replaceWith(Object.assign(new Image(), { src: state.thumbnail, alt: name, decoding: "async" }));
}

setTimeout(look, pause);
