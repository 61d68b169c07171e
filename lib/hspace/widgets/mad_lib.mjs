// A text with blanks to fill in. The state is described in mad_lib.py.

import { button, node } from "./parts.mjs";

const DONE = "All of them. That is the chapter.";
const MARKS = { right: "✓", wrong: "✗", shown: "" };

/** A word as it is compared, as `plain` in mad_lib.py: no capitals, no blanks, no hyphens. */
const plain = (word) => word.toLowerCase().replace(/[\s\-‐‑–_]+/gu, "");

/** One blank: a field, and beside it what we say about the word in it. */
class Blank {
  constructor(words, index, count) {
    this.words = words;
    const width = Math.min(20, Math.max(7, ...words.map((word) => word.length + 2)));
    this.field = node("input", {
      type: "text",
      class: "hs-blank",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
    });
    this.field.setAttribute("aria-label", `Blank ${index + 1} of ${count}`);
    this.field.style.setProperty("--hs-letters", width);
    this.mark = node("span", { class: "hs-mark", "aria-hidden": "true" });
    this.node = node("span", { class: "hs-gap" }, this.field, this.mark);
    this.verdict = "";
  }

  /** "" for an empty blank, or right, wrong; what was shown stays shown until it is written anew. */
  judge() {
    if (this.verdict === "shown") return "shown";
    const word = plain(this.field.value);
    this.set(word === "" ? "" : this.words.some((each) => plain(each) === word) ? "right" : "wrong");
    return this.verdict;
  }

  set(verdict) {
    this.verdict = verdict;
    this.node.dataset.verdict = verdict;
    this.mark.textContent = MARKS[verdict] ?? "";
    if (verdict === "wrong") this.field.setAttribute("aria-invalid", "true");
    else this.field.removeAttribute("aria-invalid");
  }

  fill(word, verdict) {
    this.field.value = word;
    this.set(verdict);
  }

  /** What is said of it: the book's own word, where another was taken. */
  remark() {
    const [best] = this.words;
    if (this.verdict === "right" && plain(this.field.value) !== plain(best)) return `Right. The book says “${best}”.`;
    return { right: "Right.", wrong: "Not this one yet.", shown: `The answer is “${best}”.`, "": "" }[this.verdict];
  }
}

/** The text as paragraphs, a blank between any two pieces. */
function paragraphs(pieces, blanks) {
  const made = [node("p", { class: "hs-text" })];
  pieces.forEach((piece, i) => {
    const [first, ...rest] = piece.split(/\n\s*\n/u);
    made.at(-1).append(first.replace(/\s+/gu, " "));
    for (const text of rest) made.push(node("p", { class: "hs-text" }, text.replace(/\s+/gu, " ")));
    if (blanks[i]) made.at(-1).append(blanks[i].node);
  });
  return made;
}

/** Keep a full stop or comma on the line of the blank before it. */
function keepTogether(pieces, blanks) {
  return pieces.map((piece, i) => {
    const stop = i > 0 ? (/^[.,;:!?)”’]+/u.exec(piece)?.[0] ?? "") : "";
    if (stop) blanks[i - 1].node.append(stop);
    return piece.slice(stop.length);
  });
}

function render({ model, el }) {
  const answers = model.get("answers");
  const blanks = answers.map((words, i) => new Blank(words, i, answers.length));
  const said = node("p", { class: "hs-said", role: "status" });
  const note = node("p", { class: "hs-note", "aria-hidden": "true" });
  const check = button("Check", judge_all);
  const show = button("Show answers", show_all);
  const again = button("Start again", empty_all);
  const count = node("span", { class: "hs-count" });
  const title = model.get("title");
  const root = node("div", {
    class: "hs-figure hs-mad_lib",
    role: "group",
    "aria-label": title || "Fill in the blanks",
  });
  if (title) root.append(node("p", { class: "hs-title" }, title));
  const text = paragraphs(keepTogether(model.get("pieces"), blanks), blanks);
  root.append(...text, note, node("div", { class: "hs-bar" }, check, show, again, count), said);

  function tell(message) {
    const right = blanks.filter((blank) => blank.verdict === "right").length;
    count.textContent = `${right} of ${blanks.length} right`;
    note.textContent = message;
    said.textContent = `${message} ${count.textContent}.`;
  }

  function judge(blank) {
    blank.judge();
    const done = blanks.every((each) => each.verdict === "right");
    tell(done ? DONE : blank.remark());
  }

  blanks.forEach((blank, i) => {
    blank.field.addEventListener("change", () => judge(blank));
    blank.field.addEventListener("input", () => blank.set("")); // while it is being written nothing is wrong
    blank.field.addEventListener("keydown", (event) => {
      event.stopPropagation(); // a notebook has its own plans for single letters
      if (event.key !== "Enter" || event.isComposing) return;
      judge(blank);
      (blanks[i + 1]?.field ?? check).focus();
    });
  });

  function judge_all() {
    const verdicts = blanks.map((blank) => blank.judge());
    const [open, wrong] = ["", "wrong"].map((kind) => verdicts.filter((verdict) => verdict === kind).length);
    const done = blanks.every((blank) => blank.verdict === "right");
    tell(done ? DONE : `${wrong} not yet, ${open} still empty.`);
    blanks.find((blank) => blank.verdict === "wrong" || blank.verdict === "")?.field.focus();
  }

  function show_all() {
    for (const blank of blanks) if (blank.judge() !== "right") blank.fill(blank.words[0], "shown");
    tell("The missing words stand in the text now.");
  }

  function empty_all() {
    for (const blank of blanks) blank.fill("", "");
    tell("All blanks are empty.");
    blanks[0].field.focus();
  }

  count.textContent = `0 of ${blanks.length} right`;
  el.append(root);
  return () => root.remove();
}

export default { render };
