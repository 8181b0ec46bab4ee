/** Links into a closed disclosure open it; browsers do not do that by themselves. */

export function revealTarget() {
  window.addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
    // A second click on the same link fires no hashchange.
    if (link instanceof HTMLAnchorElement && link.hash === location.hash) {
      reveal();
    }
  });
  reveal();
}

/** Open the disclosure around the part that the address names. */
export function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const disclosure = target?.closest("details");
  if (target && disclosure && !disclosure.open) {
    disclosure.open = true;
    target.scrollIntoView();
  }
}
