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

// Hover or tap: the title of a mark at once, instead of after a second.
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
document.body.append(tip);
const hide = function () { tip.hidden = true; };
document.addEventListener("pointerover", function (event) {
  const mark = event.target.closest("svg *, td[title], td[data-tip]");
  let holder = mark, text = "";
  while (holder && holder.tagName !== "svg" && !text) {
    const title = holder.querySelector(":scope > title");
    if (title) { holder.dataset.tip = title.textContent; title.remove(); }
    if (holder.title) { holder.dataset.tip = holder.title; holder.removeAttribute("title"); }
    text = holder.dataset.tip || "";
    holder = holder.parentElement;
  }
  if (!text) return hide();
  tip.textContent = text;
  tip.hidden = false;
  const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  tip.style.left = Math.max(8, left) + "px";
  tip.style.top = Math.max(8, event.clientY - tip.offsetHeight - 12) + "px";
});
document.addEventListener("scroll", hide, { passive: true });

// Paper has no folds.
window.addEventListener("beforeprint", function () {
  document.querySelectorAll("details").forEach(function (fold) { fold.open = true; });
});
