// The matrix: which rows and columns are shown, and in which order. What is chosen stands in the
// page's address, so that a link shows the next reader the same.

/** Every table by its columns, which keep hold of their cells wherever sorting takes the rows. */
const tables = [...document.querySelectorAll("[data-filters]")].map((table) => {
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  const columns = heads.map((head, place) => ({
    name: (head.dataset.name ?? "").toLowerCase(),
    cells: [head, ...rows.map((row) => row.cells[place])],
  }));
  const fold = table.closest("details");
  return { table, rows, columns, fold, subject: (fold?.dataset.name ?? "").toLowerCase() };
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

function hasState({ rows, columns }, id, wanted) {
  const place = rows.findIndex((row) => row.dataset.row === id) + 1;
  return columns.some(
    ({ name, cells }) => name.includes(wanted.column) && cells[place].classList.contains(wanted.state),
  );
}

/** Tell whether a column of a table is left: by its name, and by the state that is looked for. */
function isLeft(table, column, wanted, shown) {
  if (!column.name) return true;
  if (table.fold) return table.subject.includes(wanted.column) || column.name.includes(wanted.column);
  if (!column.name.includes(wanted.column)) return false;
  return (
    !wanted.state ||
    column.cells.some(
      (cell) => cell.classList.contains(wanted.state) && shown.has(cell.parentElement.dataset.row),
    )
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
  for (const row of table.rows) hide(row, !shown.has(row.dataset.row));
  for (const column of table.columns) {
    const hidden = !isLeft(table, column, wanted, shown);
    if (column.cells[0].hidden !== hidden) for (const cell of column.cells) cell.hidden = hidden;
  }
  for (const sentence of table.fold?.querySelectorAll(".sentences > div") ?? [])
    hide(sentence, !isLeft(table, { name: sentence.dataset.name.toLowerCase() }, wanted, shown));
}

function filter() {
  const wanted = asked();
  for (const { name, value } of form.elements)
    if (name && address.get(name) !== value) address.set(name, value);
  const overviews = tables.filter(({ table, fold }) => table.matches(".matrix") && !fold);
  const shown = remaining(wanted, overviews);
  for (const table of tables) {
    const named = table.columns.filter(({ name }) => name);
    const left = named.some((column) => isLeft(table, column, wanted, shown));
    hide(table.fold ?? table.table.closest("section"), named.length > 0 && !left);
    // Most tables are folded away at any time; each of those follows when it is opened.
    table.follow = () => apply(table, wanted, shown);
    if (!table.fold || table.fold.open) table.follow();
  }
  document.getElementById("shown").textContent = shown.size;
}

/** What a cell is ordered by: its rank where it has one, its words otherwise. */
function rank(row, place) {
  const cell = row.cells[place];
  return cell.dataset.rank ?? cell.querySelector(".target")?.textContent.trim() ?? "";
}

const collator = new Intl.Collator(undefined, { numeric: true });

/** Order a table's rows by a column: upwards, downwards, and as they were. */
function sort(table, place) {
  const head = table.columns[place].cells[0];
  const next = { ascending: "descending", descending: "" }[head.getAttribute("aria-sort") ?? "none"] ?? "ascending";
  for (const { cells } of table.columns) cells[0].removeAttribute("aria-sort");
  if (next) head.setAttribute("aria-sort", next);
  const turn = next === "descending" ? -1 : 1;
  const rows = [...table.rows];
  if (next) rows.sort((one, other) => turn * collator.compare(rank(one, place), rank(other, place)));
  table.table.tBodies[0].append(...rows);
}

for (const table of tables) {
  table.fold?.addEventListener("toggle", () => table.fold.open && table.follow());
  table.columns.forEach(({ cells: [head] }, place) => {
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
    label.append(...[...head.childNodes].map((node) => named(node.cloneNode(true))));
    button.append(label);
    button.addEventListener("click", () => sort(table, place));
    head.append(button);
  });
}

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
