/** A page that a person may tick in the page picker. */
export interface NotionPage {
  /** UUID with dashes. */
  readonly id: string;
  readonly title: string;
  /** One emoji; `null` for a page without an icon. */
  readonly icon: string | null;
}

/** A workspace that a person may choose on the consent page. */
export interface NotionWorkspace {
  /** UUID with dashes. */
  readonly id: string;
  readonly name: string;
  /** An emoji or an image URL; `null` when the workspace has none. */
  readonly icon: string | null;
  readonly pages: readonly NotionPage[];
}

/** A Notion user who may grant access. Every person is a member of every workspace of the simulator. */
export interface NotionPerson {
  /** UUID with dashes. */
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/** Workspaces of a simulator started without any; fixed ids, so that tests may name them. */
export const SAMPLE_WORKSPACES: readonly NotionWorkspace[] = [
  {
    id: '5a1f7c52-3b0e-4c7a-9d52-1f4f0a6b1c01',
    name: 'Lighthouse Studio',
    icon: null,
    pages: [
      { id: '7d0f6a10-8c3b-4f1e-a1d2-3c5b7e9f0a01', title: 'Product roadmap', icon: '🧭' },
      { id: '7d0f6a10-8c3b-4f1e-a1d2-3c5b7e9f0a02', title: 'Meeting notes', icon: '📝' },
      { id: '7d0f6a10-8c3b-4f1e-a1d2-3c5b7e9f0a03', title: 'Team handbook', icon: '📖' },
    ],
  },
  {
    id: '5a1f7c52-3b0e-4c7a-9d52-1f4f0a6b1c02',
    name: 'Garden Club',
    icon: '🌻',
    pages: [
      { id: '7d0f6a10-8c3b-4f1e-a1d2-3c5b7e9f0b01', title: 'Planting calendar', icon: '🌱' },
      { id: '7d0f6a10-8c3b-4f1e-a1d2-3c5b7e9f0b02', title: 'Members', icon: null },
    ],
  },
];

/** People of a simulator started without any; fixed ids, so that tests may name them. */
export const SAMPLE_PEOPLE: readonly NotionPerson[] = [
  { id: '2c9e4d70-6a15-4e8b-b3f4-9a7d5c1e0d01', name: 'Ada Keeper', email: 'ada@lighthouse.example' },
  { id: '2c9e4d70-6a15-4e8b-b3f4-9a7d5c1e0d02', name: 'Grace Gardener', email: 'grace@garden.example' },
];
