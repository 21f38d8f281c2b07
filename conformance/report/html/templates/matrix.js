// The matrix: which rows and columns are shown, and in which order. What is chosen stands in the
// page's address, so that a link shows the next reader the same.

/** Every table of states or verdicts: a line for each name, a column for each target. */
const tables = [...document.querySelectorAll(".matrix")].map((table) => {
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  // Columns keep hold of their cells wherever sorting takes the rows.
  const columns = heads.slice(1).map((head, place) => ({
    id: head.dataset.row,
    cells: [head, ...rows.map((row) => row.cells[place + 1])],
  }));
  const lines = rows.map((row) => ({ row, name: row.dataset.name.toLowerCase() }));
  const fold = table.closest("details");
  return { table, heads, rows, lines, columns, fold, subject: (fold?.dataset.name ?? "").toLowerCase() };
});
const targets = [...document.querySelectorAll("[data-conclusion]")].map((row) => ({
  id: row.dataset.row,
  words: row.dataset.words,
  conclusion: row.dataset.conclusion,
}));
const form = document.getElementById("filters");

/** Hide or show what is not so already: writing an attribute costs, reading one does not. */
function hide(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/** The ids of the targets that the filters leave. */
function remaining(wanted, overviews) {
  return new Set(
    targets
      .filter(({ words }) => words.includes(wanted.target))
      .filter(({ conclusion }) => !wanted.verdict || conclusion === wanted.verdict)
      .filter(({ id }) => !wanted.state || overviews.some((table) => hasState(table, id, wanted)))
      .map(({ id }) => id),
  );
}

function hasState({ lines, columns }, id, wanted) {
  const column = columns.find((one) => one.id === id);
  return lines.some(
    ({ name }, place) =>
      name.includes(wanted.column) && column.cells[place + 1].classList.contains(wanted.state),
  );
}

/** Tell whether a line of a table is left: by its name, and by the state that is looked for. */
function isLeft(table, place, wanted, shown) {
  const { name } = table.lines[place];
  if (table.fold) return table.subject.includes(wanted.column) || name.includes(wanted.column);
  if (!name.includes(wanted.column)) return false;
  return (
    !wanted.state ||
    table.columns.some(({ id, cells }) => shown.has(id) && cells[place + 1].classList.contains(wanted.state))
  );
}

/** What the filters ask for at present. */
function asked() {
  const wanted = {};
  for (const { name, value } of form.elements)
    if (name) wanted[name] = name === "target" || name === "column" ? value.trim().toLowerCase() : value;
  return wanted;
}

/** Show of a table what is left of it. */
function apply(table, wanted, shown) {
  for (const { id, cells } of table.columns) {
    const hidden = !shown.has(id);
    if (cells[0].hidden !== hidden) for (const cell of cells) cell.hidden = hidden;
  }
  table.lines.forEach(({ row }, place) => hide(row, !isLeft(table, place, wanted, shown)));
}

function filter() {
  const wanted = asked();
  for (const { name, value } of form.elements)
    if (name && address.get(name) !== value) address.set(name, value);
  const overviews = tables.filter(({ fold }) => !fold);
  const shown = remaining(wanted, overviews);
  for (const row of document.querySelectorAll(".runs tbody tr")) hide(row, !shown.has(row.dataset.row));
  for (const table of tables) {
    const left = table.lines.some((_, place) => isLeft(table, place, wanted, shown));
    hide(table.fold ?? table.table.closest("section"), !left);
    // Most tables are folded away at any time; each of those follows when it is opened.
    table.follow = () => apply(table, wanted, shown);
    if (!table.fold || table.fold.open) table.follow();
  }
  document.getElementById("shown").textContent = shown.size;
}

/** What a row is ordered by in a column: the cell's rank where it has one, a name otherwise. */
function rank(row, place) {
  const cell = row.cells[place];
  return cell.dataset.rank ?? row.dataset.name ?? cell.querySelector(".target")?.textContent.trim() ?? "";
}

const collator = new Intl.Collator(undefined, { numeric: true });

/** Order a table's rows by a column: upwards, downwards, and as they were. */
function sort(table, heads, rows, place) {
  const head = heads[place];
  const next = { ascending: "descending", descending: "" }[head.getAttribute("aria-sort") ?? "none"] ?? "ascending";
  for (const one of heads) one.removeAttribute("aria-sort");
  if (next) head.setAttribute("aria-sort", next);
  const turn = next === "descending" ? -1 : 1;
  const sorted = [...rows];
  if (next) sorted.sort((one, other) => turn * collator.compare(rank(one, place), rank(other, place)));
  table.tBodies[0].append(...sorted);
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    const label = document.createElement("span");
    label.className = "aloud";
    for (const [tag, words] of [["en", "Sort by"], ["zh", "排序："]]) {
      const spoken = document.createElement("span");
      spoken.lang = tag;
      spoken.textContent = `${words} `;
      label.append(spoken);
    }
    const name = head.querySelector(".target") ?? head;
    label.append(...[...name.childNodes].map((node) => named(node.cloneNode(true))));
    button.append(label);
    button.addEventListener("click", () => sort(table, heads, rows, place));
    head.append(button);
  });
}

for (const table of document.querySelectorAll(".matrix, .runs")) makeSortable(table);
for (const table of tables) table.fold?.addEventListener("toggle", () => table.fold.open && table.follow());

/** A link inside a button would be neither; its words are. */
function named(node) {
  return node.nodeName === "A" ? document.createTextNode(node.textContent) : node;
}

/** Open the fold that an address leads into. */
function reveal() {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fold = place?.closest("details");
  if (fold && !fold.open) {
    fold.open = true;
    place.scrollIntoView();
  }
}

for (const { name } of form.elements) if (name) form.elements[name].value = address.get(name);
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => queueMicrotask(() => setTimeout(filter)));
addEventListener("hashchange", reveal);
form.hidden = false;
filter();
reveal();
