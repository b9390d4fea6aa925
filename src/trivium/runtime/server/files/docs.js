"use strict";

const STATUS = [
  ["200", "at least one row has an answer"], ["400", "not JSON, or no form"], ["401", "the token is missing or wrong"],
  ["408", "the body came too slowly"], ["413", "the body, or the number of rows, is too large"],
  ["415", "neither JSON nor a form"], ["422", "no row has an answer; each says why"],
  ["429", "too much at once: try again after the seconds in Retry-After"], ["503", "the server starts or stops"],
];
const WORDS = {
  body_bytes: "bytes of a body", body_seconds: "seconds until the body is here", header_seconds: "seconds until a header is here",
  buffered_bytes: "bytes of all bodies at a time", rows: "rows of a request", queue: "rows that wait", batch: "rows answered together",
  characters: "characters of a text", pixels: "pixels of a picture", seconds: "seconds of a sound", hertz: "Hz of a sound",
  drain_seconds: "seconds to finish when the server stops",
};

function fill(id, rows) {
  for (const cells of rows) {
    const line = document.createElement("tr");
    cells.forEach((words, k) => {
      const cell = document.createElement(k ? "td" : "th");
      cell.textContent = words;
      line.append(cell);
    });
    document.getElementById(id).append(line);
  }
}

async function start() {
  const about = await (await fetch("about")).json();
  const token = about.token ? " \\\n  -H 'Authorization: Bearer TOKEN'" : "";
  const value = (stream) => stream.modality === "text" ? "a text" : stream.example ? stream.example
    : stream.modality === "table" ? Object.fromEntries(stream.columns.slice(0, 3).map((name) => [name, "..."])) : "BASE64";
  const row = Object.fromEntries([["id", "r1"], ...about.streams.map((stream) => [stream.name, value(stream)])]);
  const here = location.origin;
  const put = (id, words) => { document.getElementById(id).textContent = words; };
  put("json", `curl ${here}/predict \\\n  -H 'Content-Type: application/json'${token} -d '\n${JSON.stringify([row], null, 1)}'`);
  const parts = about.streams.map((stream) => stream.modality === "text" ? `-F '${stream.name}=a text'`
    : stream.modality === "table" ? `-F '${stream.name}=${JSON.stringify(value(stream))}'` : `-F ${stream.name}=@file`);
  put("form", `curl ${here}/predict${token} \\\n  ${parts.join(" \\\n  ")}`);
  const answer = Object.fromEntries([["id", "r1"], ...about.answer.map((key) => [key, ["warning", "error"].includes(key) ? null : "..."])]);
  put("answer", JSON.stringify({strategy: about.strategy, answers: [answer]}, null, 1));
  fill("status", STATUS);
  fill("limits", Object.entries(about.limits).map(([key, amount]) => [WORDS[key] || key, amount.toLocaleString("en")]));
  fill("streams", about.streams.map((stream) => [stream.name, stream.modality + (stream.read ? "" : ", which the model does not read"),
    stream.columns.join(", ")]));
}

start();
