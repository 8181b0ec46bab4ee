/** Menus, which are disclosures that lie over the page: a click elsewhere or Escape closes them. */

export function closeMenusOutside() {
  document.addEventListener("click", (event) => closeAll(event.target));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target instanceof Element && event.target.closest("details.menu[open]");
    if (menu instanceof HTMLDetailsElement && !event.defaultPrevented) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
}

/** @param {EventTarget | null} target */
function closeAll(target) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!(target instanceof Node && menu.contains(target))) {
      menu.removeAttribute("open");
    }
  }
}
