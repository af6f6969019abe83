/** Boxes that may scroll. */
const BOXES = '.scroll, pre';

/** A box that scrolls takes the focus, so that keys scroll it, too. One that does not is no stop on the way of the tab key. */
function mark(box) {
  const doesScroll = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  if (doesScroll) box.setAttribute('tabindex', '0');
  else box.removeAttribute('tabindex');
}

function markAll() {
  for (const box of document.querySelectorAll(BOXES)) mark(box);
}

const changes = { childList: true, characterData: true, subtree: true, attributeFilter: ['open'] };
new MutationObserver(markAll).observe(document.querySelector('#main'), changes);
addEventListener('resize', markAll);
