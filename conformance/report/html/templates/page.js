"use strict";
// The switches and the address bar. The page is whole without any of this: it only remembers, in
// the address, what was chosen, so that a link shows the next reader the same.

/** Read and write one choice in the query of the page's address. */
const address = {
  get(name) {
    return new URLSearchParams(location.search).get(name) ?? "";
  },
  set(name, value) {
    const query = new URLSearchParams(location.search);
    if (value) query.set(name, value);
    else query.delete(name);
    const written = query.toString();
    history.replaceState(history.state, "", (written ? `?${written}` : location.pathname) + location.hash);
  },
};

/** The language shown at present: "en" or "zh". */
const language = () => document.querySelector("[name=lang]:checked").value;

/** Write what a style sheet cannot switch: attributes, titles, and text that holds no markup. */
function speak() {
  document.documentElement.lang = language();
  for (const element of document.querySelectorAll("[data-en]")) {
    const words = element.dataset[language()];
    if (element.matches("input")) element.placeholder = words;
    else element.textContent = words;
  }
}

for (const name of ["lang", "theme"]) {
  const radios = [...document.querySelectorAll(`[name=${name}]`)];
  const first = radios.find((radio) => radio.checked).value;
  const chosen = radios.find((radio) => radio.value === address.get(name));
  if (chosen) chosen.checked = true;
  for (const radio of radios)
    radio.addEventListener("change", () => {
      address.set(name, radio.value === first ? "" : radio.value);
      speak();
    });
}
document.documentElement.classList.add("script");
speak();
