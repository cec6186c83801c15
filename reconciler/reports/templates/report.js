
"use strict";
(() => {
  const form = document.getElementById("filter");
  const folds = [...document.querySelectorAll("details")];
  let openBefore = [];
  addEventListener("beforeprint", () => {
    openBefore = folds.map((fold) => fold.open);
    folds.forEach((fold) => { fold.open = true; });
  });
  addEventListener("afterprint", () => folds.forEach((fold, index) => { fold.open = openBefore[index]; }));
  if (!form) return;

  const text = document.getElementById("text");
  const organization = document.getElementById("organization");
  const unchanged = document.getElementById("unchanged");
  const groups = [...document.querySelectorAll(".group")].map((element) => ({
    element,
    organization: element.dataset.organization,
    cards: [...element.querySelectorAll(".card")].map((card) => ({ card, words: null })),
  }));
  const total = groups.reduce((sum, group) => sum + group.cards.length, 0);

  const wordsOf = (entry) => (entry.words ??= entry.card.textContent.toLowerCase());
  const apply = () => {
    const wanted = text.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const actions = new Set([...form.querySelectorAll("[name=action]:checked")].map((box) => box.value));
    let shown = 0;
    for (const group of groups) {
      const meant = !organization.value || group.organization === organization.value;
      let visible = 0;
      for (const entry of group.cards) {
        const fits = meant && actions.has(entry.card.dataset.action)
          && wanted.every((word) => wordsOf(entry).includes(word));
        entry.card.hidden = !fits;
        visible += fits;
      }
      group.element.hidden = visible === 0;
      shown += visible;
    }
    document.body.classList.toggle("unchanged", Boolean(unchanged?.checked));
    document.getElementById("shown").textContent = `${shown} of ${total} shown`;
    document.getElementById("nothing").hidden = shown > 0;
  };
  const fold = (open) => {
    for (const { element, cards } of groups) {
      if (!element.hidden) cards.forEach(({ card }) => { if (!card.hidden) card.open = open; });
    }
  };

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  document.getElementById("open").addEventListener("click", () => fold(true));
  document.getElementById("close").addEventListener("click", () => fold(false));
  addEventListener("keydown", (event) => {
    const typing = event.target.matches("input[type=search], select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      text.focus();
      text.select();
    } else if (event.key === "Escape" && form.contains(event.target)) {
      form.reset();
    }
  });
  apply();
})();
