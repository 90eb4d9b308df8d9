// What pages do beside being read: the design system's behaviour, and parts that look again by themselves.
import { initAll } from "./@@govuk-frontend.js@@";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();

const FAST = 3000;
const SLOW = 10000;
const A_MINUTE = 60000;

// A part that changes is asked for anew: every three seconds, after a minute every ten, until it says that it has ended.
for (const part of document.querySelectorAll("[data-refresh]")) {
  const began = Date.now();
  const again = () => setTimeout(look, Date.now() - began < A_MINUTE ? FAST : SLOW);
  const look = async () => {
    if (document.hidden) return again();
    try {
      const answer = await fetch(part.dataset.refresh, { headers: { "HX-Request": "true" }, redirect: "error" });
      if (!answer.ok) return again();
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
      // The element with the focus is never taken away.
      if (!part.contains(document.activeElement)) part.replaceChildren(...fresh.children);
      if (fresh.querySelector("[data-ended]") || part.querySelector("[data-ended]")) return undefined;
    } catch {
      // Signed out, or no network: the link beside it still works.
    }
    return again();
  };
  again();
}

// Five minutes before a session ends somebody is asked whether they are there (WCAG 2.2, 2.2.1). Other tabs may use the
// session meanwhile, so that the console is asked, and asking is no use of it.
const ending = document.getElementById("session-ending");
const WARNED = 300;

const secondsLeft = async (stay) => {
  const answer = await fetch(ending.dataset.session + (stay ? "?stay=yes" : ""), { redirect: "error" });
  return answer.ok ? (await answer.json()).seconds : 0;
};
const said = (name) => {
  for (const part of ending.querySelectorAll("[data-says]")) part.hidden = part.dataset.says !== name;
  ending.querySelector("[data-stay]").hidden = name === "over";
  ending.querySelector("[data-close]").hidden = name !== "over";
  ending.querySelector("h2").textContent = name === "over" ? "You are signed out" : "You will be signed out soon";
};
const watch = async (stay = false) => {
  let left;
  try {
    left = await secondsLeft(stay);
  } catch {
    return setTimeout(watch, A_MINUTE); // no network: asked again
  }
  if (left > WARNED) {
    ending.close();
    return setTimeout(watch, (left - WARNED) * 1000);
  }
  said(left > 0 ? "soon" : "over");
  const minutes = Math.max(Math.ceil(left / 60), 1);
  ending.querySelector("[data-minutes]").textContent = minutes === 1 ? "1 minute" : `${minutes} minutes`;
  if (!ending.open) ending.showModal();
  return left > 0 ? setTimeout(watch, Math.min(left, 60) * 1000) : undefined;
};
if (ending) {
  ending.querySelector("[data-stay]").addEventListener("click", () => watch(true));
  ending.querySelector("[data-close]").addEventListener("click", () => ending.close());
  setTimeout(watch, Math.max(Number(ending.dataset.seconds) - WARNED, 0) * 1000);
}
