/**
 * Holds what a page with one list shows, and which of its rows are ticked.
 * @param name what the page calls the list: null until it is read, undefined if it was refused
 * @param path where it is read
 * @param idsOf the ids of its rows that can be ticked
 * @param first what else the page shows at first
 * @param draw gets the whole view
 */
export function createListPage({ name, path, idsOf, first, draw }) {
  let view = { [name]: null, ticked: new Set(), result: null, ...first };

  function show(part) {
    view = { ...view, ...part };
    draw(view);
  }

  return {
    get view() {
      return view;
    },
    show,
    /** A refusal keeps the list that is shown. A row that is gone is ticked no more. */
    async load(read) {
      const list = await read(path);
      if (list === null) return view[name] === null && show({ [name]: undefined });
      const there = new Set(idsOf(list));
      show({ [name]: list, ticked: new Set([...view.ticked].filter((id) => there.has(id))) });
    },
    /** The handlers of the boxes. */
    ticks: {
      tick(id) {
        const ticked = new Set(view.ticked);
        if (!ticked.delete(id)) ticked.add(id);
        show({ ticked, result: null });
      },
      tickAll(ids) {
        const isAll = ids.every((id) => view.ticked.has(id));
        show({ ticked: new Set(isAll ? [] : ids), result: null });
      },
    },
  };
}
