/** The ways of showing the maps: side by side, under a handle, the difference alone, or one at a time on a phone. */

import { isPlainClick } from "../lib/clicks.js";
import { write } from "../lib/write.js";
import { getSettings, keep } from "../maps/view.js";

/** @typedef {import("../maps/settings.js").View} View */

/** The panel that a phone shows; all pages of this visit share it. */
let shown = "";

/** Follow the links to views without a request, and the buttons of single panels. */
export function switchViews() {
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const link = target?.closest("a[data-view]");
    if (link instanceof HTMLElement && isPlainClick(event)) {
      event.preventDefault();
      keep({ view: /** @type {View} */ (link.dataset.view) });
    }
    if (target?.closest("#phone-view")) {
      event.preventDefault();
      keep({ view: getSettings().view === "swipe" ? "side" : "swipe" });
      document.getElementById("maps")?.scrollIntoView({ block: "nearest" });
    }
    const button = target?.closest("[data-shows]");
    if (button instanceof HTMLElement) {
      shown = button.dataset.shows ?? "";
      if (getSettings().view === "side") {
        showView("side");
      } else {
        keep({ view: "side" });
      }
    }
  });
}

/** @param {View} view */
export function showView(view) {
  const maps = document.getElementById("maps");
  if (!maps) {
    return;
  }
  maps.dataset.view = view;
  write(document.getElementById("phone-view"), view === "swipe" ? "One map" : "Swipe");
  for (const link of document.querySelectorAll("a[data-view]")) {
    mark(link, link.getAttribute("data-view") === view, "aria-current");
  }
  const known = [...maps.querySelectorAll("[data-panel]")].map((panel) => panel.getAttribute("data-panel"));
  if (!known.includes(shown)) {
    shown = maps.dataset.of ?? "";
  }
  for (const panel of maps.querySelectorAll("[data-panel]")) {
    panel.classList.toggle("is-shown", panel.getAttribute("data-panel") === shown);
  }
  for (const button of document.querySelectorAll("[data-shows]")) {
    button.setAttribute("aria-pressed", String(view === "side" && button.getAttribute("data-shows") === shown));
  }
}

/** Say how high the part above the maps is: it scrolls away where the maps stay in view. */
export function pinMaps() {
  const [section, maps] = ["panels", "maps"].map((id) => document.getElementById(id));
  if (section && maps) {
    const above = maps.getBoundingClientRect().top - section.getBoundingClientRect().top;
    section.style.setProperty("--above", `${Math.max(0, above - 8)}px`);
  }
}

/**
 * @param {Element} element
 * @param {boolean} isChosen
 * @param {string} attribute
 */
function mark(element, isChosen, attribute) {
  if (isChosen) {
    element.setAttribute(attribute, "true");
  } else {
    element.removeAttribute(attribute);
  }
}
