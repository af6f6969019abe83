import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';

const ASSETS = fileURLToPath(new URL('pages/assets', import.meta.url));

/** The libraries of the pages, by name under `lib/`: each is one file of an installed package. uPlot draws the charts. */
const LIBRARIES = {
  'preact.mjs': import.meta.resolve('preact'),
  'htm.mjs': import.meta.resolve('htm'),
  'uplot.mjs': import.meta.resolve('uplot/dist/uPlot.esm.js'),
  'uplot.css': import.meta.resolve('uplot/dist/uPlot.min.css'),
};

/** Serves scripts, styles and icon of the pages unchanged: nothing is bundled or compiled. */
export function createPageAssets(): Router {
  const assets = Router();
  for (const [name, url] of Object.entries(LIBRARIES)) {
    // A folder above the package may have a name that begins with a dot.
    assets.get(`/lib/${name}`, (_request, response) => response.sendFile(fileURLToPath(url), { dotfiles: 'allow' }));
  }
  assets.use(express.static(ASSETS, { index: false, maxAge: 0 }));
  return assets;
}
