"use strict";
// Sorting, switching and hiding. The page says everything without it.
document.documentElement.classList.add("js");

// Tables: press a heading to sort by its column, again to turn it round. Empty values stay last.
document.querySelectorAll("table.sortable").forEach(function (table) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach(function (head, column) {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", function () {
      const turn = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      table.querySelectorAll("thead th").forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", turn === 1 ? "ascending" : "descending");
      const value = function (row) { return row.cells[column].dataset.v; };
      const rows = Array.from(body.rows);
      rows.sort(function (a, b) {
        const x = value(a), y = value(b);
        if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
        const numeric = x !== "" && y !== "" && !isNaN(x) && !isNaN(y);
        return turn * (numeric ? Number(x) - Number(y) : x.localeCompare(y));
      });
      rows.forEach(function (row) { body.append(row); });
    });
  });
});

// Menus: show one view of a group.
document.querySelectorAll("select[data-views]").forEach(function (menu) {
  const show = function () {
    const group = menu.dataset.views + ":";
    document.querySelectorAll("[data-view^='" + group + "']").forEach(function (view) {
      view.hidden = view.dataset.view !== group + menu.value;
      const cell = view.closest("td");
      if (!view.hidden && cell && view.dataset.v !== undefined) cell.dataset.v = view.dataset.v;
    });
  };
  menu.addEventListener("change", show);
  show(); // a reloaded page keeps the choice
});

// Legends: show or hide a strategy in every chart.
document.querySelectorAll("button[data-toggle]").forEach(function (button) {
  button.addEventListener("click", function () {
    const shown = button.getAttribute("aria-pressed") !== "true";
    document.querySelectorAll("button[data-toggle='" + button.dataset.toggle + "']").forEach(function (same) {
      same.setAttribute("aria-pressed", String(shown));
    });
    document.querySelectorAll("svg.chart:not(.small) ." + button.dataset.toggle).forEach(function (mark) {
      mark.classList.toggle("off", !shown);
    });
  });
});

// Tips: what a mark or a cell says, at once where it is pointed at, tapped or reached with the keyboard.
const tip = document.createElement("div");
tip.className = "tip";
tip.setAttribute("role", "status");
tip.hidden = true;
document.body.append(tip);
let reached = null; // what the keyboard is at
const hide = function () { tip.hidden = true; reached = null; };
const said = function (holder) {
  const title = holder.querySelector(":scope > title");
  if (title) { holder.dataset.tip = title.textContent; title.remove(); } // else the browser shows it as well
  if (holder.title) { holder.dataset.tip = holder.title; holder.removeAttribute("title"); }
  return holder.dataset.tip || "";
};
const show = function (text, x, y) {
  if (!text) return hide();
  tip.textContent = text;
  tip.hidden = false;
  tip.style.left = Math.max(8, Math.min(x + 14, window.innerWidth - tip.offsetWidth - 8)) + "px";
  tip.style.top = Math.max(8, y - tip.offsetHeight - 12) + "px";
};
const showAt = function (holder) {
  const box = holder.getBoundingClientRect();
  show(said(holder), box.left + box.width / 2, box.top + box.height / 2);
  reached = holder;
};
document.addEventListener("pointerover", function (event) {
  let holder = event.target.closest("svg *, td[title], td[data-tip]"), text = "";
  while (holder && holder.tagName !== "svg" && !text) {
    text = said(holder);
    holder = holder.parentElement;
  }
  if (text) reached = null;
  if (!reached) show(text, event.clientX, event.clientY);
});
document.addEventListener("scroll", function () { // what the keyboard reaches scrolls into view
  if (reached) showAt(reached); else hide();
}, { passive: true });
document.addEventListener("keydown", function (event) { if (event.key === "Escape") hide(); });

// A picture is one stop of the Tab key; the arrow keys go from mark to mark.
document.querySelectorAll("svg.chart").forEach(function (chart) {
  const marks = Array.from(chart.querySelectorAll("title"), function (title) { return title.parentElement; });
  if (!marks.length) return;
  let at = 0;
  chart.tabIndex = 0;
  chart.addEventListener("focus", function () { showAt(marks[at]); });
  chart.addEventListener("blur", hide);
  chart.addEventListener("keydown", function (event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const seen = marks.filter(function (mark) { return !mark.closest(".off"); });
    if (!seen.length) return;
    at = marks.indexOf(seen[(seen.indexOf(marks[at]) + step + seen.length) % seen.length]);
    showAt(marks[at]);
  });
});
document.querySelectorAll("table:not(.confusion):not(.square) td[title]").forEach(function (cell) {
  cell.tabIndex = 0; // the cells of the others say it themselves, or their headings do
  cell.addEventListener("focus", function () { showAt(cell); });
  cell.addEventListener("blur", hide);
});

// A link to what is folded opens it.
const reveal = function () {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  const fold = target && target.querySelector(":scope > details");
  if (!fold) return;
  fold.open = true;
  target.scrollIntoView();
};
window.addEventListener("hashchange", reveal);
reveal();

// Paper has no folds.
let opened = [];
window.addEventListener("beforeprint", function () {
  opened = Array.from(document.querySelectorAll("details:not([open])"));
  opened.forEach(function (fold) { fold.open = true; });
});
window.addEventListener("afterprint", function () {
  opened.forEach(function (fold) { fold.open = false; });
});
