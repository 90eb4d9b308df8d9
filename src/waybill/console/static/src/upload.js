// Sends a folder: checksums in workers, registration page by page, files straight to the store by signed addresses.
// Whoever comes back chooses the folder again; what was sent from this browser before is not sent twice.

const form = document.querySelector("[data-send]");
const HASHERS = 2;
const SENDERS = 4;
const PAGE = 500;
const TRIES = 3;
const ROWS = 20;
const LARGEST = 5 * 1024 ** 3;
// Files that systems leave in folders: the same names as everywhere else in Waybill.
const EXCLUDED = /^([Tt][Hh][Uu][Mm][Bb][Ss]\.[Dd][Bb]|desktop\.ini|\.DS_Store)$/;
// Absolute, since the address of the page changes when the consignment is registered.
const HOME = form && new URL(form.dataset.home, location.href).href;
const REGISTER = form && new URL(form.dataset.register, location.href).href;
const CORRECT = form && form.dataset.correct && new URL(form.dataset.correct, location.href).href;
const WORKER = form && new URL(form.dataset.worker, location.href).href;

// Ids of consignments that this page has asked for, by what they are of: whoever sends the same again after a failure
// goes on with the same consignment, even where its answer was lost.
const asked = new Map();

const one = (name) => form.querySelector(`[data-${name}]`);
const number = new Intl.NumberFormat("en-GB");

function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let left = bytes;
  while (left >= 1000 && unit < units.length - 1) {
    left /= 1000;
    unit += 1;
  }
  return unit ? `${left.toFixed(1)} ${units[unit]}` : `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
}

function complain(text) {
  const box = one("problem");
  box.hidden = !text;
  one("problem-text").textContent = text;
  if (text) box.focus();
}

class Folder {
  constructor(list) {
    this.files = [];
    this.leftOut = [];
    for (const file of list) {
      const path = (file.webkitRelativePath || file.name).split("/").slice(file.webkitRelativePath ? 1 : 0).join("/");
      const name = path.split("/").pop();
      if (EXCLUDED.test(name)) {
        this.leftOut.push({ path, kind: "EXCLUDED", reason: "systems leave files of this name in folders" });
      } else if (file.size > LARGEST) {
        const reason = "it is larger than a browser can send: use waybill consign";
        this.leftOut.push({ path, kind: "TOO_LARGE", reason });
      } else {
        this.files.push({ file, path, state: "waiting" });
      }
    }
    this.files.sort((a, b) => (a.path < b.path ? -1 : 1));
    this.bytes = this.files.reduce((sum, each) => sum + each.file.size, 0);
  }
}

class Hashers {
  constructor(address) {
    this.waiting = new Map();
    this.workers = Array.from({ length: HASHERS }, () => {
      const worker = new Worker(address);
      worker.onmessage = ({ data }) => {
        const settle = this.waiting.get(data.id);
        this.waiting.delete(data.id);
        if (data.problem) settle.reject(new Error("This file cannot be read."));
        else settle.resolve(data.sha256);
      };
      worker.onerror = () => {
        for (const settle of this.waiting.values()) settle.reject(new Error("The checksum could not be computed."));
      };
      return worker;
    });
    this.next = 0;
  }

  digest(file) {
    this.next += 1;
    const id = this.next;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.workers[id % HASHERS].postMessage({ id, file });
    });
  }

  close() {
    for (const worker of this.workers) worker.terminate();
  }
}

class Sending {
  constructor(folder) {
    this.folder = folder;
    this.id = form.dataset.consignment;
    this.paused = false;
    this.sentBytes = 0;
    this.began = Date.now();
    this.there = 0;
  }

  field(name) {
    const input = form.elements[name];
    return input ? input.value.trim() : form.dataset[name] || "";
  }

  get head() {
    return {
      type: this.field("type") || "standard",
      reference: this.field("reference"),
      transferringBody: this.field("body"),
    };
  }

  async ask(address, body) {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Form-Token": form.elements.token.value },
      body: JSON.stringify(body),
    });
    if (answer.redirected && answer.url.includes("sign-in")) throw new Error("You are signed out. Sign in again, then choose the folder again.");
    if (!answer.ok || !(answer.headers.get("Content-Type") || "").includes("json")) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const said = [...page.querySelectorAll("main h1, main p")].slice(0, 4).map((each) => each.textContent.trim());
      throw new Error(said.join(" ") || "Waybill did not take this.");
    }
    return answer.json();
  }

  // What was sent before, by the ids of its files; forgotten at sign-out.
  get done() {
    return new Set(JSON.parse(localStorage.getItem(`sent:${this.id}`) || "[]"));
  }

  note(fileId) {
    const done = this.done;
    done.add(fileId);
    localStorage.setItem(`sent:${this.id}`, JSON.stringify([...done]));
  }

  async run() {
    const hashers = new Hashers(WORKER);
    try {
      await this.hashAll(hashers);
      await this.registerAll();
    } finally {
      hashers.close();
    }
    await this.sendAll();
  }

  async hashAll(hashers) {
    let at = 0;
    let done = 0;
    const work = async () => {
      while (at < this.folder.files.length) {
        const each = this.folder.files[at];
        at += 1;
        each.sha256 = await hashers.digest(each.file);
        done += 1;
        this.tell(`Computing checksums: ${number.format(done)} of ${number.format(this.folder.files.length)} files`);
      }
    };
    await Promise.all(Array.from({ length: HASHERS }, work));
  }

  // The id is the sender's own to choose, and the same page again changes nothing.
  choose() {
    if (this.id) return;
    const content = this.folder.files.map((each) => [each.path, each.sha256]);
    const key = JSON.stringify([this.head, content]);
    if (!asked.has(key)) asked.set(key, crypto.randomUUID());
    this.id = asked.get(key);
  }

  async registerAll() {
    const files = this.folder.files;
    this.choose();
    for (let at = 0; at < files.length; at += PAGE) {
      const page = files.slice(at, at + PAGE);
      this.tell(`Registering: ${number.format(Math.min(at + PAGE, files.length))} of ${number.format(files.length)} files`);
      const body = {
        ...this.head,
        totalFiles: files.length,
        files: page.map((each) => ({
          path: each.path,
          size: each.file.size,
          sha256: each.sha256,
          lastModified: new Date(each.file.lastModified).toISOString(),
        })),
        notSent: at === 0 ? this.folder.leftOut.slice(0, 1000) : [],
        consignmentId: this.id,
      };
      const answer = await this.ask(REGISTER, body);
      const places = new Map(answer.files.map((place) => [place.path, place]));
      for (const each of page) {
        each.fileId = places.get(each.path).fileId;
        each.upload = places.get(each.path).upload;
      }
    }
    // From here on this address goes on with this consignment; links of the head are relative to the old one.
    for (const each of document.querySelectorAll("link")) each.href = each.href;
    history.replaceState(null, "", `${HOME}/${this.id}/upload`);
  }

  async sendAll() {
    const done = this.done;
    for (const each of this.folder.files) {
      if (done.has(each.fileId)) {
        each.state = "there";
        this.there += 1;
        this.sentBytes += each.file.size;
      } else each.state = "waiting";
    }
    this.began = Date.now();
    this.startBytes = this.sentBytes;
    const queue = this.folder.files.filter((each) => each.state === "waiting");
    const work = async () => {
      while (queue.length) {
        await this.whenRunning();
        const each = queue.shift();
        if (each) await this.sendOne(each);
      }
    };
    this.show();
    await Promise.all(Array.from({ length: SENDERS }, work));
    const failed = this.folder.files.filter((each) => each.state === "failed");
    one("again").hidden = !failed.length;
    one("pause").hidden = true;
    this.show();
    if (!failed.length) this.finish();
    else this.tell(`${number.format(failed.length)} could not be sent. The others have arrived.`);
  }

  async whenRunning() {
    while (this.paused || !navigator.onLine) {
      this.tell(navigator.onLine ? "Paused." : "Waiting for the network. It goes on by itself.");
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  async sendOne(each) {
    each.state = "sending";
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      await this.whenRunning();
      try {
        if (!each.upload || Date.parse(each.upload.expiresAt) < Date.now() + 5000) await this.renew(each);
        await this.put(each);
        each.state = "sent";
        this.note(each.fileId);
        break;
      } catch (error) {
        each.problem = error.message;
        if (error.final || attempt === TRIES) each.state = "failed";
        if (error.final) break;
        each.upload = null;
        await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** attempt * (0.5 + Math.random())));
      }
    }
    this.show();
  }

  async renew(each) {
    const answer = await this.ask(`${HOME}/${this.id}/addresses`, { fileIds: [each.fileId] });
    each.upload = answer.uploads[0].upload;
  }

  put(each) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      let counted = 0;
      const count = (loaded) => {
        this.sentBytes += loaded - counted;
        counted = loaded;
      };
      const refuse = (text, final) => {
        count(0);
        reject(Object.assign(new Error(text), { final }));
      };
      request.open(each.upload.method, each.upload.url);
      for (const [name, value] of Object.entries(each.upload.headers)) {
        // Browsers send these by themselves, and refuse to be told.
        if (!["content-length", "host"].includes(name.toLowerCase())) request.setRequestHeader(name, value);
      }
      request.upload.onprogress = (event) => {
        count(Math.min(event.loaded, each.file.size));
        this.show();
      };
      request.onload = () => {
        if (request.status >= 200 && request.status < 300) {
          count(each.file.size);
          resolve();
        } else if (request.status === 400 || /BadDigest|XAmzContentChecksumMismatch/.test(request.responseText)) {
          refuse("This file changed while it was being sent. Choose the folder again.", true);
        } else refuse(`The store answered ${request.status}.`, false);
      };
      request.onerror = () => refuse("The connection broke, or the file cannot be read any more.", false);
      request.send(each.file);
    });
  }

  tell(text) {
    if (one("status").textContent !== text) one("status").textContent = text;
  }

  show() {
    const files = this.folder.files;
    const sent = files.filter((each) => each.state === "sent" || each.state === "there").length;
    const share = this.folder.bytes ? this.sentBytes / this.folder.bytes : sent / (files.length || 1);
    one("running").querySelector("progress").value = Math.min(share, 1);
    const speed = (this.sentBytes - this.startBytes) / ((Date.now() - this.began) / 1000);
    const left = speed > 0 ? (this.folder.bytes - this.sentBytes) / speed : 0;
    const time = left > 90 ? `, about ${Math.round(left / 60)} minutes left` : "";
    const there = this.there ? `, ${number.format(this.there)} there already` : "";
    this.tell(`${number.format(sent)} of ${number.format(files.length)} files sent${there}, ${size(this.sentBytes)} of ${size(this.folder.bytes)}${time}`);
    const rows = files.filter((each) => each.state === "sending" || each.state === "failed").slice(0, ROWS);
    one("work").hidden = !rows.length;
    one("rows").replaceChildren(...rows.map((each) => {
      const row = document.createElement("tr");
      row.className = "govuk-table__row";
      for (const [text, name] of [[each.path, "app-name"], [each.state === "failed" ? `failed: ${each.problem}` : "sending", ""]]) {
        const cell = document.createElement("td");
        cell.className = "govuk-table__cell";
        const inner = document.createElement("bdi");
        inner.className = name;
        inner.textContent = text;
        cell.append(inner);
        row.append(cell);
      }
      return row;
    }));
  }

  finish() {
    window.onbeforeunload = null;
    localStorage.removeItem(`sent:${this.id}`);
    const start = document.createElement("form");
    start.method = "post";
    start.action = `${HOME}/${this.id}/start`;
    for (const name of ["token", "once", "who"]) start.append(form.elements[name].cloneNode());
    document.body.append(start);
    start.submit();
  }
}

// Files in place of others of a consignment: each at the path of the one that it replaces, under its own name.
class Corrected {
  constructor(inputs) {
    this.leftOut = [];
    this.files = [];
    for (const input of inputs) {
      const [file] = input.files;
      if (!file) continue;
      const folder = input.dataset.path.split("/").slice(0, -1);
      this.files.push({ file, fileId: input.dataset.file, path: [...folder, file.name].join("/"), state: "waiting" });
    }
    this.tooLarge = this.files.find((each) => each.file.size > LARGEST);
    this.bytes = this.files.reduce((sum, each) => sum + each.file.size, 0);
  }
}

class Correcting extends Sending {
  // Every one of them is another file now, whatever was sent before.
  get done() {
    return new Set();
  }

  note() {}

  async registerAll() {
    this.tell("Telling what is corrected");
    const answer = await this.ask(CORRECT, {
      replace: this.folder.files.map((each) => ({
        fileId: each.fileId,
        path: each.path,
        size: each.file.size,
        sha256: each.sha256,
        lastModified: new Date(each.file.lastModified).toISOString(),
      })),
    });
    const places = new Map(answer.files.map((place) => [place.fileId, place]));
    for (const each of this.folder.files) each.upload = places.get(each.fileId).upload;
  }
}

if (form && window.Worker && window.crypto && crypto.subtle) {
  document.querySelector("[data-no-script]").hidden = true;
  form.hidden = false;
  let folder = null;
  let sending = null;

  const corrected = [...form.querySelectorAll("[data-file]")];
  for (const input of corrected) {
    input.addEventListener("change", () => {
      folder = new Corrected(corrected);
      complain(folder.tooLarge ? `${folder.tooLarge.path} is larger than a browser can send: use waybill consign --replace.` : "");
      const many = folder.files.length === 1 ? "file" : "files";
      one("total").textContent = folder.files.length ? `${number.format(folder.files.length)} ${many}, ${size(folder.bytes)}` : "";
      one("go").disabled = !folder.files.length || Boolean(folder.tooLarge);
    });
  }

  if (!CORRECT) form.querySelector("#folder").addEventListener("change", (event) => {
    folder = new Folder(event.target.files);
    complain(folder.files.length ? "" : "This folder has no files that can be sent.");
    one("chosen").hidden = false;
    const many = folder.files.length === 1 ? "file" : "files";
    one("total").textContent = `${number.format(folder.files.length)} ${many}, ${size(folder.bytes)}`;
    one("left-out").hidden = !folder.leftOut.length;
    one("left-out-count").textContent = `${number.format(folder.leftOut.length)} will be left out:`;
    one("left-out-list").replaceChildren(...folder.leftOut.slice(0, ROWS).map((each) => {
      const item = document.createElement("li");
      const path = document.createElement("bdi");
      path.textContent = each.path;
      item.append(path, `: ${each.reason}`);
      return item;
    }));
    one("go").disabled = !folder.files.length;
    one("go").textContent = `Send ${number.format(folder.files.length)} ${many}`;
  });

  one("pause").addEventListener("click", () => {
    sending.paused = !sending.paused;
    one("pause").textContent = sending.paused ? "Go on" : "Pause";
  });

  one("again").addEventListener("click", () => {
    one("again").hidden = true;
    sending.sendAll().catch((error) => complain(error.message));
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    sending = CORRECT ? new Correcting(folder) : new Sending(folder);
    if (!sending.field("reference")) {
      complain("Enter a reference.");
      return;
    }
    complain("");
    one("go").disabled = true;
    one("running").hidden = false;
    one("pause").hidden = false;
    window.onbeforeunload = (leaving) => leaving.preventDefault();
    try {
      await sending.run();
    } catch (error) {
      window.onbeforeunload = null;
      complain(error.message);
      one("go").disabled = false;
    }
  });
}
