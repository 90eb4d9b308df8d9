// Computes the SHA-256 of files: whole in memory up to 256 MiB, beyond that piece by piece.
importScripts("./@@sha256.js@@");

const WHOLE = 256 * 1024 * 1024;
const PIECE = 8 * 1024 * 1024;

const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

async function digest(file) {
  if (file.size <= WHOLE) return hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  const hasher = await hashwasm.createSHA256();
  hasher.init();
  for (let at = 0; at < file.size; at += PIECE) {
    hasher.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
  }
  return hasher.digest("hex");
}

onmessage = async ({ data }) => {
  try {
    postMessage({ id: data.id, sha256: await digest(data.file) });
  } catch (error) {
    postMessage({ id: data.id, problem: String(error && error.message) });
  }
};
