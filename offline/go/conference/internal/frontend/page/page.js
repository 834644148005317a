"use strict";

// Each tab reads its list when it is opened, not by a timer: services that nobody uses may scale to zero.
const tabs = {
  proposals: { path: "c4p/proposals/", card: proposalCard },
  agenda: { path: "agenda/agenda-items/", card: (i) => card(i.title, i.author, i.description) },
  notifications: { path: "notifications/notifications/", card: (n) => card(n.emailSubject, n.emailTo, n.emailBody) },
  events: { path: "events/", card: (e) => card(e.type, e.id, e.payload) },
  debug: { card: (s) => card(`${s.name} ${s.version}`, `${s.podName} on ${s.podNodeName}`, s.source) },
};
const infoPaths = ["service/info", "c4p/service/info", "agenda/service/info", "notifications/service/info"];

const form = document.getElementById("submit");
const list = document.getElementById("list");
const problem = document.getElementById("problem");
let current = "";

async function api(path, method = "GET", body = undefined) {
  const response = await fetch(`/api/${path}`, { method, body: body && JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} /api/${path} answered ${response.status}: ${text}`);
  return text ? JSON.parse(text) : null;
}

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function card(title, by, text, buttons = []) {
  const made = document.createElement("article");
  made.append(element("h3", title), element("p", by, "small"), element("p", text), ...buttons);
  return made;
}

function proposalCard(proposal) {
  const state = proposal.status.status === "PENDING" ? "pending" : proposal.approved ? "approved" : "rejected";
  const decide = (text, approved, className) => {
    const button = element("button", text, className);
    button.onclick = () => attempt(button, async () => {
      await api(`c4p/proposals/${proposal.id}/decide/`, "POST", { approved });
      await show("proposals");
    });
    return button;
  };
  const buttons = state === "pending" ? [decide("Approve", true, ""), decide("Reject", false, "other")] : [];
  return card(proposal.title, `${proposal.author} <${proposal.email}> · ${state}`, proposal.description, buttons);
}

async function read(tab) {
  if (tab === "debug") return Promise.all(infoPaths.map((path) => api(path)));
  return api(tabs[tab].path);
}

async function show(tab) {
  current = tab;
  form.hidden = tab !== "proposals";
  for (const button of document.querySelectorAll("nav button")) {
    button.setAttribute("aria-current", button.dataset.tab === tab ? "page" : "false");
  }
  list.replaceChildren(element("p", "Loading … a service that sleeps takes some seconds to start.", "small"));
  try {
    const found = await read(tab);
    if (current !== tab) return;
    list.replaceChildren(...(found.length ? found.map(tabs[tab].card) : [element("p", "Nothing yet.", "small")]));
  } catch (error) {
    if (current === tab) list.replaceChildren();
    throw error;
  }
}

async function attempt(button, action) {
  button.disabled = true;
  problem.hidden = true;
  try {
    await action();
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  } finally {
    button.disabled = false;
  }
}

function open(button) {
  location.hash = button.dataset.tab;
  attempt(button, () => show(button.dataset.tab));
}

for (const button of document.querySelectorAll("nav button")) button.onclick = () => open(button);
form.onsubmit = (event) => {
  event.preventDefault();
  attempt(form.querySelector("button"), async () => {
    await api("c4p/proposals/", "POST", Object.fromEntries(new FormData(form)));
    form.reset();
    await show("proposals");
  });
};
open(document.querySelector(`nav button[data-tab="${location.hash.slice(1)}"]`) ?? document.querySelector("nav button"));
