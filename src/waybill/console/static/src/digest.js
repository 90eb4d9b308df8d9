// "Or choose the file": its SHA-256 is computed here, and only the sum is asked for.
const place = document.querySelector("[data-digest]");
if (place && window.crypto && crypto.subtle) {
  place.hidden = false;
  const status = place.querySelector("[data-digest-status]");
  place.querySelector("input").addEventListener("change", async (event) => {
    const file = event.target.files[0];
    if (!file) return;
    if (file.size > 1024 * 1024 * 1024) {
      status.textContent = "This file is too large to compute its sum here. Use sha256sum.";
      return;
    }
    status.textContent = "Computing …";
    const sum = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    const text = Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, "0")).join("");
    document.getElementById("sha256").value = text;
    status.textContent = "Its SHA-256 is in the box above.";
  });
}
