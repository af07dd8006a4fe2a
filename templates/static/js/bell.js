// The bell counts what alerts found: asked once a minute, and when somebody comes back to the page.

const bell = document.querySelector("[data-bell]");
const PAUSE = 60000;
let asked = Date.now();

async function look() {
  if (document.hidden) return;
  asked = Date.now();
  try {
    const answer = await fetch(bell.dataset.bell, { headers: { Accept: "application/json" } });
    if (answer.ok) show(await answer.json());
  } catch { /* asked again in a minute */ }
}

function show({ unread, more }) {
  bell.querySelector("[data-count]").textContent = more ? `${unread - 1}+` : unread;
  bell.querySelector(".count").hidden = unread === 0;
}

if (bell) {
  setInterval(look, PAUSE);
  document.addEventListener("visibilitychange", () => { if (Date.now() - asked > PAUSE / 4) look(); });
}
