// A button beside each command that copies it. A fold is furnished when it is first opened.
{
  const said = { copy: { en: "Copy", zh: "复制" }, copied: { en: "Copied", zh: "已复制" } };

  /** Put text where it can be pasted; a page from disk may not be allowed the newer way. */
  const copy = async (pre) => {
    try {
      await navigator.clipboard.writeText(pre.textContent);
    } catch {
      getSelection().selectAllChildren(pre);
      document.execCommand("copy");
    }
  };

  const furnish = (snippet) => {
    const button = document.createElement("button");
    const say = (words) => {
      Object.assign(button.dataset, words);
      button.textContent = words[language()];
    };
    button.type = "button";
    button.className = "copy";
    button.setAttribute("aria-live", "polite");
    say(said.copy);
    button.addEventListener("click", async () => {
      await copy(snippet.querySelector("pre"));
      say(said.copied);
      setTimeout(() => say(said.copy), 1500);
    });
    snippet.append(button);
  };

  // Few, and in view as soon as their finding is; the others wait until their fold is opened.
  for (const snippet of document.querySelectorAll(".inside > .snippet")) furnish(snippet);
  for (const fold of document.querySelectorAll(".exchange, .client"))
    fold.addEventListener("toggle", () => {
      for (const snippet of fold.querySelectorAll(".snippet:not(:has(.copy))")) furnish(snippet);
    });
}
