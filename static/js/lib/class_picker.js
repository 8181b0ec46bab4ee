/**
 * The class list as a search field: the combobox of the ARIA Authoring Practices with a list that narrows down.
 *
 * A `<datalist>` would not do. It offers only options that contain the field's text, so a chosen class would hide all
 * others. Enter would send an unfinished name, Escape would leave one in the field, and two classes of the same name
 * (ImageNet has two cranes) would look alike.
 *
 * The form's own field keeps the value. It also works without JavaScript.
 */

import { findMatches } from "./class_search.js";

/** @typedef {import("./class_search.js").Choice} Choice */

/** @param {HTMLFormElement} form */
export function enhanceClassPickers(form) {
  const target = form.elements.namedItem("target");
  const versus = form.elements.namedItem("versus");
  if (!(target instanceof HTMLSelectElement) || target.hidden) {
    return;
  }
  const classes = Array.from(target.options, ({ value, text, dataset }) => ({
    value,
    text: dataset.name ?? text,
    note: dataset.note ?? "",
  }));
  new ClassPicker(target, classes);
  if (versus instanceof HTMLInputElement) {
    // Without JavaScript the user types a class's name; the list puts the class's index here.
    versus.value = classes.find(({ text }) => text === versus.value)?.value ?? "";
    versus.defaultValue = versus.value;
    new ClassPicker(versus, [{ value: "", text: "no second class", note: "" }, ...classes]);
  }
}

class ClassPicker {
  /**
   * @param {HTMLSelectElement | HTMLInputElement} field that holds the value.
   * @param {Choice[]} choices
   */
  constructor(field, choices) {
    this.field = field;
    this.choices = choices;
    this.input = makeInput(field);
    this.list = makeList(field.id);
    /** @type {HTMLElement | null} */
    this.active = null;
    const picker = document.createElement("div");
    picker.className = "picker";
    picker.append(this.input, this.list);
    field.after(picker);
    field.hidden = true;
    // The label and the focus belong to the field that is visible.
    field.id = `${field.id}-value`;
    this.showChosen();
    this.listen();
  }

  listen() {
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("click", () => this.open(""));
    this.input.addEventListener("input", () => this.open(this.input.value));
    this.input.addEventListener("keydown", (event) => this.takeKey(event));
    this.input.addEventListener("blur", () => this.cancel());
    // A search is not a value of the form; a chosen class is.
    this.input.addEventListener("change", (event) => event.stopPropagation());
    // Pressing the mouse on the list would move the focus, which closes the list before the click.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    // A form's fields have their values back only after the event.
    this.field.form?.addEventListener("reset", () => setTimeout(() => this.showChosen()));
    this.list.addEventListener("click", (event) => {
      const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
      if (option instanceof HTMLElement) {
        this.choose(option);
      }
    });
  }

  /** @param {string} search */
  open(search) {
    const matches = findMatches(this.choices, search);
    const options = matches.map((choice) => makeOption(this.input.id, choice, choice.value === this.field.value));
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
    const chosen = this.choices.find(({ value }) => value === this.field.value);
    // Without a second class the placeholder is shown.
    this.input.value = chosen?.value ? chosen.text : "";
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
    const isChange = this.field.value !== option.dataset.value;
    this.field.value = option.dataset.value ?? "";
    this.cancel();
    if (isChange) {
      this.field.dispatchEvent(new Event("change", { bubbles: true }));
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
 * @param {HTMLSelectElement | HTMLInputElement} field
 * @returns {HTMLInputElement}
 */
function makeInput(field) {
  const input = document.createElement("input");
  input.type = "text";
  input.id = field.id;
  input.placeholder = field.getAttribute("placeholder") ?? "";
  input.autocomplete = "off";
  input.spellcheck = false;
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", `${field.id}-list`);
  return input;
}

/**
 * @param {string} id of the field.
 * @returns {HTMLElement}
 */
function makeList(id) {
  const list = document.createElement("ul");
  list.id = `${id}-list`;
  list.className = "picker-list";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Classes");
  return list;
}

/**
 * @param {string} id of the field.
 * @param {Choice} choice
 * @param {boolean} isChosen
 * @returns {HTMLElement}
 */
function makeOption(id, choice, isChosen) {
  const item = document.createElement("li");
  item.id = `${id}-option-${choice.value}`;
  item.className = "picker-option";
  item.dataset.value = choice.value;
  item.textContent = choice.text;
  if (choice.note) {
    const note = document.createElement("span");
    note.className = "picker-note";
    note.textContent = ` ${choice.note}`;
    item.append(note);
  }
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", String(isChosen));
  return item;
}

/** @returns {HTMLElement} */
function makeNone() {
  const item = document.createElement("li");
  item.className = "picker-none";
  item.textContent = "No class name contains this.";
  return item;
}
