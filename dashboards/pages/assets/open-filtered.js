import { toAddress } from './base.js';

/** Opens a list with the filters of a form: the address has no field that is empty. @param path of the list @param names of the filters */
export function openFiltered(event, path, names) {
  event.preventDefault();
  const given = new FormData(event.currentTarget);
  const query = new URLSearchParams();
  for (const name of names) {
    const value = given.getAll(name).map(String).join(',').trim();
    if (value !== '') query.set(name, value);
  }
  const text = query.toString();
  location.assign(toAddress(`${path}${text === '' ? '' : `?${text}`}`));
}
