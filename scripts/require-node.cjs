/* Ends with a message if this Node is too old. Any Node can parse this file: it has no imports and no modern syntax. */
'use strict';
var range = require('../package.json').engines.node; // '>=20.19'
var needed = range.replace(/^\D*/, '').split('.').map(Number);
var here = process.versions.node.split('.').map(Number);
if (here[0] < needed[0] || (here[0] === needed[0] && here[1] < (needed[1] || 0))) {
  console.error(
    'haiku-fleet needs Node ' + needed.join('.') + ' or newer; this is Node ' + process.versions.node + '.',
  );
  process.exit(78); // pm2 does not restart on this code
}
