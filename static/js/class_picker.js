/**
 * The class list as a search field: the combobox of the ARIA Authoring Practices with a list that narrows down.
 *
 * The select box stays as the form's value and as what works without JavaScript.
 */

/** @param {HTMLFormElement} form */
export function enhanceClassPicker(form) {
  const select = form.elements.namedItem("target");
  if (select instanceof HTMLSelectElement && !select.hidden) {
    new ClassPicker(select);
  }
}

class ClassPicker {
  /** @param {HTMLSelectElement} select */
  constructor(select) {
    this.select = select;
    this.input = makeInput();
    this.list = makeList();
    /** @type {HTMLElement | null} */
    this.active = null;
    const picker = document.createElement("div");
    picker.className = "picker";
    picker.append(this.input, this.list);
    select.after(picker);
    select.hidden = true;
    // The label and the focus belong to what can be seen.
    select.id = "target-select";
    this.showChosen();
    this.listen();
  }

  listen() {
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("click", () => this.open(""));
    this.input.addEventListener("input", () => this.open(this.input.value));
    this.input.addEventListener("keydown", (event) => this.takeKey(event));
    this.input.addEventListener("blur", () => this.cancel());
    // What is typed is no value of the form until a class was chosen.
    this.input.addEventListener("change", (event) => event.stopPropagation());
    // A press on the list would take the focus and close the list before the click.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
      if (option instanceof HTMLElement) {
        this.choose(option);
      }
    });
  }

  /** @param {string} search */
  open(search) {
    const matches = findMatches(Array.from(this.select.options), search);
    const options = matches.map((option) => makeOption(option, option.value === this.select.value));
    this.list.replaceChildren(...(options.length ? options : [makeNone()]));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    const chosen = options.find((option) => option.getAttribute("aria-selected") === "true");
    this.activate(search ? (options[0] ?? null) : (chosen ?? null));
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.activate(null);
  }

  cancel() {
    this.close();
    this.showChosen();
  }

  showChosen() {
    this.input.value = this.select.selectedOptions[0]?.text ?? "";
  }

  /** @param {HTMLElement | null} option */
  activate(option) {
    this.active?.classList.remove("is-active");
    this.active = option;
    if (!option) {
      this.input.removeAttribute("aria-activedescendant");
      return;
    }
    option.classList.add("is-active");
    this.input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  /** @param {HTMLElement} option */
  choose(option) {
    const isChange = this.select.value !== option.dataset.value;
    this.select.value = option.dataset.value ?? "";
    this.cancel();
    if (isChange) {
      this.select.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  /** @param {KeyboardEvent} event */
  takeKey(event) {
    const isOpen = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (isOpen) {
        this.move(event.key === "ArrowDown" ? 1 : -1);
      } else {
        this.open("");
      }
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (isOpen && this.active) {
        this.choose(this.active);
      }
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      this.cancel();
    }
  }

  /** @param {1 | -1} step */
  move(step) {
    const options = /** @type {HTMLElement[]} */ (Array.from(this.list.querySelectorAll("[role=option]")));
    const start = this.active ? options.indexOf(this.active) : step === 1 ? -1 : options.length;
    this.activate(options[(start + step + options.length) % options.length] ?? null);
  }
}

/**
 * Names that contain the search, those that begin with it first.
 *
 * @param {HTMLOptionElement[]} options
 * @param {string} search
 * @returns {HTMLOptionElement[]}
 */
function findMatches(options, search) {
  const wanted = search.trim().toLowerCase();
  const found = options.filter((option) => option.text.toLowerCase().includes(wanted));
  /** @param {HTMLOptionElement} option */
  const rank = (option) => (option.text.toLowerCase().startsWith(wanted) ? 0 : 1);
  return found.sort((first, second) => rank(first) - rank(second));
}

/** @returns {HTMLInputElement} */
function makeInput() {
  const input = document.createElement("input");
  input.type = "text";
  input.id = "target";
  input.autocomplete = "off";
  input.spellcheck = false;
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", "target-list");
  return input;
}

/** @returns {HTMLElement} */
function makeList() {
  const list = document.createElement("ul");
  list.id = "target-list";
  list.className = "picker-list";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Classes");
  return list;
}

/**
 * @param {HTMLOptionElement} option
 * @param {boolean} isChosen
 * @returns {HTMLElement}
 */
function makeOption(option, isChosen) {
  const item = document.createElement("li");
  item.id = `target-option-${option.value}`;
  item.className = "picker-option";
  item.dataset.value = option.value;
  item.textContent = option.text;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", String(isChosen));
  return item;
}

/** @returns {HTMLElement} */
function makeNone() {
  const item = document.createElement("li");
  item.className = "picker-none";
  item.textContent = "No class has this in its name.";
  return item;
}
