import type { NotionPage, NotionPerson, NotionWorkspace } from './sample-workspaces.js';
import type { SimulatorModes } from './simulator.modes.js';
import type { Randomness } from './randomness.js';

/** The workspaces and people there are. A person made up for a test joins every workspace. */
export class NotionDirectory {
  private readonly workspacesById: Map<string, NotionWorkspace>;
  private readonly peopleById: Map<string, NotionPerson>;

  constructor(
    workspaces: readonly NotionWorkspace[],
    people: readonly NotionPerson[],
    private readonly randomness: Randomness,
  ) {
    this.workspacesById = new Map(workspaces.map((workspace) => [workspace.id, workspace]));
    this.peopleById = new Map(people.map((person) => [person.id, person]));
  }

  workspaces(): NotionWorkspace[] {
    return [...this.workspacesById.values()];
  }

  people(): NotionPerson[] {
    return [...this.peopleById.values()];
  }

  /** By id or by name; the first one when none is named. @throws Error when there is no such workspace. */
  workspace(idOrName?: string): NotionWorkspace {
    return pick('workspace', this.workspacesById, idOrName);
  }

  /** By id or by name; the first one when none is named. @throws Error when there is no such person. */
  person(idOrName?: string): NotionPerson {
    return pick('person', this.peopleById, idOrName);
  }

  inventPerson(): NotionPerson {
    const number = this.peopleById.size + 1;
    return this.addPerson({
      id: this.randomness.uuid(),
      name: `Person ${number}`,
      email: `person-${number}@notion.example`,
    });
  }

  addPerson(person: NotionPerson): NotionPerson {
    this.peopleById.set(person.id, person);
    return person;
  }

  page(workspaceId: string, pageId: string): NotionPage | undefined {
    const wanted = pageId.replaceAll('-', '');
    return this.workspacesById.get(workspaceId)?.pages.find((page) => page.id.replaceAll('-', '') === wanted);
  }

  /** `owner` as token answers and bot users carry it. */
  ownerBody(personId: string, kind: SimulatorModes['owner']): Record<string, unknown> {
    if (kind === 'workspace') return { type: 'workspace', workspace: true };
    const person = this.person(personId);
    if (kind === 'partial') return { type: 'user', user: { object: 'user', id: person.id } };
    return {
      type: 'user',
      user: {
        object: 'user',
        id: person.id,
        type: 'person',
        name: person.name,
        avatar_url: null,
        person: { email: person.email, email_verified: true },
      },
    };
  }
}

function pick<Item extends { readonly id: string; readonly name: string }>(
  what: string,
  items: ReadonlyMap<string, Item>,
  idOrName?: string,
): Item {
  const all = [...items.values()];
  const found =
    idOrName === undefined ? all[0] : (items.get(idOrName) ?? all.find((item) => item.name === idOrName));
  if (found === undefined) throw new Error(`The simulator has no ${what} "${idOrName ?? ''}".`);
  return found;
}
