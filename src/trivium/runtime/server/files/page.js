"use strict";
// The page is drawn from /about; it sends one row to /predict. Sounds of any kind that the browser plays become WAV here.

const MOST = 12; // bars
const given = {}; // stream -> base64 of a file
let about;

const make = (tag, words, kind) => {
  const node = document.createElement(tag);
  if (words !== undefined) node.textContent = words;
  if (kind) node.className = kind;
  return node;
};
const find = (id) => document.getElementById(id);
const percent = (share) => (100 * share).toFixed(1) + " %";

async function start() {
  about = await (await fetch("about")).json();
  find("title").textContent = about.title;
  document.title = about.title;
  find("token-line").hidden = !about.token;
  for (const stream of about.streams) find("streams").append(field(stream));
  find("form").addEventListener("submit", (event) => { event.preventDefault(); ask(); });
}

function field(stream) {
  const box = make("fieldset");
  box.append(make("legend", stream.name + (stream.read ? "" : " (the model does not read it)")));
  box.dataset.stream = stream.name;
  if (stream.modality === "text") {
    const text = make("textarea");
    text.setAttribute("aria-label", stream.name);
    box.append(text);
  } else if (stream.modality === "table") {
    const cells = make("div", undefined, "cells");
    for (const name of stream.columns) {
      const line = make("label", name), cell = make("input");
      cell.type = "text";
      cell.dataset.column = name;
      line.append(cell);
      cells.append(line);
    }
    box.append(cells);
  } else box.append(place(stream));
  return box;
}

function place(stream) {
  const sound = stream.modality === "audio";
  const drop = make("div", undefined, "drop"), chosen = make("input"), shown = make("div");
  chosen.type = "file";
  const word = {audio: "sound", video: "video"}[stream.modality] || "picture";
  chosen.accept = `${word === "sound" ? "audio" : word === "video" ? "video" : "image"}/*`;
  chosen.setAttribute("aria-label", stream.name);
  const take = (file) => file && used(stream, file, shown).catch((error) => say(`${stream.name}: ${error.message || error}`, true));
  chosen.addEventListener("change", () => take(chosen.files[0]));
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
  const clear = make("button", "Remove", "plain");
  clear.type = "button";
  clear.addEventListener("click", () => { delete given[stream.name]; chosen.value = ""; shown.replaceChildren(); });
  drop.append(make("span", `Drop a ${word} here, or choose `), chosen, " ");
  if (sound && navigator.mediaDevices && window.MediaRecorder) drop.append(recorder(take), " ");
  drop.append(clear, shown);
  return drop;
}

async function used(stream, file, shown) {
  const sound = stream.modality === "audio";
  const content = sound ? await wav(file) : file;
  given[stream.name] = await base64(content);
  const film = stream.modality === "video";
  const view = make(sound ? "audio" : film ? "video" : "img");
  view.src = URL.createObjectURL(content);
  if (sound || film) view.controls = true;
  else view.alt = "the picture that is sent";
  shown.replaceChildren(view);
  say("");
}

function recorder(take) {
  const button = make("button", "Record", "plain");
  let at_work = null;
  button.type = "button";
  button.addEventListener("click", async () => {
    if (at_work) return at_work.stop();
    try {
      const voice = await navigator.mediaDevices.getUserMedia({audio: true});
      const parts = [];
      at_work = new MediaRecorder(voice);
      at_work.ondataavailable = (event) => parts.push(event.data);
      at_work.onstop = () => {
        voice.getTracks().forEach((track) => track.stop());
        at_work = null;
        button.textContent = "Record";
        take(new Blob(parts));
      };
      at_work.start();
      button.textContent = "Stop";
    } catch (error) { say(`No microphone: ${error.message}`, true); }
  });
  return button;
}

async function wav(file) { // mono, 16 bits, at the rate of the browser
  const context = new AudioContext();
  let sound;
  try { sound = await context.decodeAudioData(await file.arrayBuffer()); }
  catch { throw new Error("this browser cannot read the sound"); }
  finally { context.close(); }
  const count = sound.length, bytes = new DataView(new ArrayBuffer(44 + 2 * count));
  const text = (at, words) => [...words].forEach((sign, k) => bytes.setUint8(at + k, sign.charCodeAt(0)));
  text(0, "RIFF"); bytes.setUint32(4, 36 + 2 * count, true); text(8, "WAVEfmt ");
  bytes.setUint32(16, 16, true); bytes.setUint16(20, 1, true); bytes.setUint16(22, 1, true);
  bytes.setUint32(24, sound.sampleRate, true); bytes.setUint32(28, 2 * sound.sampleRate, true);
  bytes.setUint16(32, 2, true); bytes.setUint16(34, 16, true); text(36, "data"); bytes.setUint32(40, 2 * count, true);
  const sides = Array.from({length: sound.numberOfChannels}, (_, k) => sound.getChannelData(k));
  for (let k = 0; k < count; k++) {
    const value = sides.reduce((sum, side) => sum + side[k], 0) / sides.length;
    bytes.setInt16(44 + 2 * k, Math.max(-1, Math.min(1, value)) * 32767, true);
  }
  return new Blob([bytes], {type: "audio/wav"});
}

const base64 = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => failed(reader.error);
  reader.readAsDataURL(file);
});

function row() {
  const found = {...given};
  for (const box of document.querySelectorAll("fieldset")) {
    const text = box.querySelector("textarea"), cells = [...box.querySelectorAll("[data-column]")];
    if (text && text.value.trim()) found[box.dataset.stream] = text.value;
    const filled = cells.filter((cell) => cell.value.trim() !== "");
    if (filled.length) found[box.dataset.stream] = Object.fromEntries(filled.map((cell) => [cell.dataset.column, cell.value]));
  }
  return found;
}

function say(words, bad) {
  find("state").textContent = words;
  find("state").className = bad ? "bad" : "";
}

async function ask() {
  find("ask").disabled = true;
  find("answer").hidden = true;
  say("…");
  try {
    const headers = {"Content-Type": "application/json"};
    if (about.token) headers.Authorization = "Bearer " + find("token").value;
    const response = await fetch("predict?explain=true", {method: "POST", headers, body: JSON.stringify([row()])});
    const found = await response.json();
    const answer = found.answers && found.answers[0];
    if (!answer || answer.error) return say(found.error || "No answer: " + answer.error, true);
    say("");
    draw(answer);
  } catch (error) { say(`The server does not answer (${error.message}).`, true); }
  finally { find("ask").disabled = false; }
}

const shares = (answer) => Object.entries(answer).filter(([key, value]) => key.startsWith("probability_") && value !== null)
  .map(([key, value]) => [key.slice("probability_".length), value]).sort((a, b) => b[1] - a[1]);

function words(answer) { // the answer in a few words, whatever the task
  const skip = new Set(["id", "warning", "error", "without"]);
  const rest = Object.entries(answer).filter(([key, value]) => !skip.has(key) && !key.startsWith("probability_") && value !== null);
  return rest.filter(([key]) => !/_(low|high)$/.test(key)).map(([key, value]) => {
    const low = answer[key + "_low"], high = answer[key + "_high"];
    const number = (one) => typeof one === "number" ? String(Number(one.toPrecision(5))) : one;
    const said = low == null ? number(value) : `${number(value)} (${number(low)} to ${number(high)})`;
    return ["label", "prediction", "labels"].includes(key) ? said : `${key}: ${said}`;
  }).join(", ") || "none";
}

function draw(answer) {
  find("said").textContent = words(answer);
  find("warning").hidden = !answer.warning;
  find("warning").textContent = answer.warning ? "Note: " + answer.warning : "";
  const all = shares(answer);
  find("bars").replaceChildren(...all.slice(0, MOST).map(([name, share], k) => {
    const line = make("div", undefined, k ? "row" : "row first"), track = make("div", undefined, "track");
    const fill = make("div", undefined, "fill");
    fill.style.width = percent(share).replace(" ", "");
    track.append(fill);
    line.append(make("span", name), track, make("span", percent(share), "number"));
    return line;
  }), ...(all.length > MOST ? [make("p", `and ${all.length - MOST} more`, "quiet")] : []));
  find("rests").replaceChildren(...rests(answer, all));
  find("answer").hidden = false;
}

function rests(answer, all) {
  const without = Object.entries(answer.without || {});
  if (!without.length) return [];
  const table = make("table"), head = make("tr");
  head.append(make("th", "without"), make("th", "the answer would be"));
  if (all.length) head.append(make("th", "probability of " + all[0][0], "number"));
  table.append(head);
  for (const [stream, other] of without) {
    const line = make("tr");
    line.append(make("td", stream), make("td", other.error ? "none" : words(other)));
    if (all.length) {
      const share = other["probability_" + all[0][0]];
      line.append(make("td", share == null ? "–" : percent(share), "number"));
    }
    table.append(line);
  }
  return [make("h3", "What it rests on"), table];
}

start().catch((error) => say(`The server does not answer (${error.message}).`, true));
