import { addClient, listClients, removeClient } from '../../../clients/clients.ts';
import type { ClientState, Role } from '../../../clients/types.ts';
import { readBudget } from '../../../ledger/budget.ts';
import { formatUsd } from '../../../pricing/money.ts';
import { describeBudget } from '../../../ledger/budget.ts';
import { printJson, renderTable } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';

export interface TokenAddOptions {
  /** Not checked yet, so that a wrong one gets the room's own sentence. */
  role: string;
  budget?: number;
  expires?: string;
  json?: boolean;
}

/** Does `fleet token add`. The token alone goes to the standard output, so that it can go into a file. */
export async function runTokenAddCommand(name: string, options: TokenAddOptions): Promise<void> {
  const { role, budget: budgetUsd = null, expires = null } = options;
  await withFleet(async ({ inner: { db, assertMayAdd } }) => {
    await assertMayAdd();
    const { client, token } = await addClient(db, { name, role: role as Role, budgetUsd, expires });
    const { settled } = await readBudget(db, { client: name });
    if (options.json) return printJson({ ...client, token });
    const until = client.expiresAt === null ? 'until it is removed' : `until ${client.expiresAt}`;
    const budget = client.budgetNanoUsd === null ? 'no budget' : `budget ${formatUsd(client.budgetNanoUsd, 4)}`;
    console.error(`Client ${name}: role ${role}, ${budget}, ${until}. Its token, which is shown only now:`);
    console.log(token);
    console.error('Put it where its program reads FLEET_TOKEN, or into its header "Authorization: Bearer …" for /mcp.');
    if (settled > 0)
      console.error(`A client of this name has spent ${formatUsd(settled, 4)} before; that counts against the budget.`);
  });
}

/** Does `fleet token ls`. */
export async function runTokenListCommand(options: { json?: boolean }): Promise<void> {
  await withFleet(async ({ inner: { db } }) => {
    const clients = await listClients(db);
    if (options.json) return printJson(clients);
    if (clients.length === 0) {
      return console.log('No clients. fleet token add NAME --role delegate --budget USD adds one.');
    }
    const head = ['name', 'role', 'budget', 'spent', 'reserved', 'uncertain', 'expires', 'last used'];
    console.log(renderTable([head, ...clients.map(toCells)], [2, 3, 4, 5]));
  });
}

/** Does `fleet token rm`. */
export async function runTokenRemoveCommand(name: string, options: { json?: boolean }): Promise<void> {
  await withFleet(async ({ inner: { db } }) => {
    await removeClient(db, name);
    const books = await readBudget(db, { client: name });
    if (options.json) return printJson({ name, removed: true, ...books });
    console.log(`Client ${name} is gone: its token is refused from now on. Its costs stay: fleet costs --by client`);
    console.log(
      `Its work goes on within its budget (${describeBudget(books)}); fleet budget 0 --client ${name} parks it`,
    );
  });
}

function toCells(client: ClientState): string[] {
  const { name, role, budgetNanoUsd, settledNanoUsd, reservedNanoUsd, uncertainNanoUsd, expiresAt } = client;
  return [
    name,
    role,
    budgetNanoUsd === null ? 'none' : formatUsd(budgetNanoUsd, 4),
    formatUsd(settledNanoUsd, 4),
    formatUsd(reservedNanoUsd, 4),
    formatUsd(uncertainNanoUsd, 4),
    expiresAt === null ? 'never' : `${client.isExpired ? 'expired ' : ''}${expiresAt}`,
    client.lastUsedAt ?? 'never',
  ];
}
