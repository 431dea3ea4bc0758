// What is said of what was typed in search, and of what is to become a tag.

export const search = {
  noKey: (key: string, keys: readonly string[]) => `“${key}” is nothing to search by: ${keys.join(', ')} are.`,
  noState: (state: string, states: readonly string[]) => `“${state}” is no state: ${states.join(', ')} are.`,
  noTrait: (trait: string, traits: readonly string[]) => `“is:${trait}” is not known: ${traits.join(', ')} are.`,
  noSize: (said: string) => `“${said}” is not a size, e.g. mem>8G.`,
  noNumber: (said: string) => `“${said}” is not a number, e.g. vcpus>4.`,
  noPercentage: (said: string) => `“${said}” is not a percentage, e.g. cpu>50.`,
};

export const tags = {
  oneWord: 'A tag is one word, without , and "',
  tooLong: 'A tag has 64 signs at most',
};
