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
