// Makes the pages live and lets cards be dragged. Everything works without this, by links and forms.
"use strict";

document.documentElement.classList.add("js");
let seen = document.body.dataset.seen;
let dragged = null;

function say(words) {
  document.getElementById("said").textContent = words;
}

// A region somebody is writing in is left alone until they are done.
function busy(region) {
  const at = document.activeElement;
  if (dragged && region.contains(dragged)) return true;
  if (at && region.contains(at) && at.matches("input, textarea, select")) return true;
  return [...region.querySelectorAll("textarea, select, input:not([type=hidden])")].some(changed);
}

function changed(field) {
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.options) {
    const was = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(was, 0);
  }
  return field.value !== field.defaultValue;
}

function keep(region, fresh) {
  const open = [...region.querySelectorAll("details")].map((each) => each.open);
  const focused = document.activeElement && region.contains(document.activeElement)
    ? document.activeElement.closest("[id]") : null;
  const before = new Map([...region.querySelectorAll("[id]")].map((each) => [each.id, each.textContent]));
  const scrolled = [...region.querySelectorAll(".cards, .scroll")].map((each) => [each.scrollLeft, each.scrollTop]);
  region.replaceChildren(...fresh.childNodes);
  const details = [...region.querySelectorAll("details")];
  if (details.length === open.length) details.forEach((each, at) => { each.open = open[at]; });
  [...region.querySelectorAll(".cards, .scroll")].forEach((each, at) => {
    if (scrolled[at]) [each.scrollLeft, each.scrollTop] = scrolled[at];
  });
  for (const each of region.querySelectorAll(".card, .task, tr[id], .block, .stories li[id]")) {
    if (before.get(each.id) !== each.textContent) each.classList.add("fresh");
  }
  if (focused) document.getElementById(focused.id)?.querySelector("a, button")?.focus();
}

function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  let waiting = false;
  for (const region of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${region.dataset.live}"]`);
    if (!fresh || fresh.innerHTML === region.innerHTML) continue;
    if (busy(region)) waiting = true;
    else keep(region, fresh);
  }
  if (!waiting && page.body.dataset.seen) seen = page.body.dataset.seen;
}

async function refresh() {
  const answer = await fetch(location.href);
  if (answer.ok) show(await answer.text());
}

async function watch() {
  const began = performance.now();
  if (!document.hidden) {
    try {
      const now = await (await fetch("/ui/changes")).text();
      if (now !== seen) await refresh();
      document.body.classList.remove("away");
    } catch {
      document.body.classList.add("away");
    }
  }
  // A large company takes a while to show: leave the services four fifths of the time.
  setTimeout(watch, Math.max(1000, 4 * (performance.now() - began)));
}

// Sends a form and shows what became of it without leaving the place.
async function send(address, form) {
  const answer = await fetch(address, { method: "POST", body: form });
  const html = await answer.text();
  if (answer.ok) {
    say("");
    show(html);
  } else {
    const page = new DOMParser().parseFromString(html, "text/html");
    say(page.querySelector(".refusal")?.textContent ?? "That did not work.");
  }
}

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-move]") ?? null;
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.id);
  dragged.classList.add("dragged");
});

function target(event) {
  const column = event.target.closest?.("[data-drop]");
  return dragged && column && column.dataset.value !== dragged.dataset.at &&
    column.parentElement === dragged.closest("[data-drop]").parentElement ? column : null;
}

document.addEventListener("dragover", (event) => {
  const column = target(event);
  document.querySelectorAll(".over").forEach((each) => each !== column && each.classList.remove("over"));
  if (column) {
    event.preventDefault();
    column.classList.add("over");
  }
});

document.addEventListener("drop", (event) => {
  const column = target(event);
  if (!column) return;
  event.preventDefault();
  const card = dragged;
  dragged = null;
  const back = location.pathname + location.search;
  send(card.dataset.move, new URLSearchParams({ [column.dataset.drop]: column.dataset.value, back }));
});

document.addEventListener("dragend", () => {
  dragged = null;
  document.querySelectorAll(".over, .dragged").forEach((each) => each.classList.remove("over", "dragged"));
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!event.submitter?.matches(".arrow, .tick, .check")) return;
  event.preventDefault();
  const sent = new URLSearchParams(new FormData(form, event.submitter));
  if (sent.has("back")) sent.set("back", location.pathname + location.search);
  send(form.getAttribute("action"), sent);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") event.target.closest?.("details[open]")?.removeAttribute("open");
});

watch();
