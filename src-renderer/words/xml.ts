// A VM's definition as XML: what an edit changes, and what is wrong with it.

/** Read out before a line. */
export const diffView = {
  same: '',
  out: 'taken out: ',
  in: 'put in: ',
};

export const xmlCheck = {
  /** @param why the parser's own words; null where it has none */
  malformed: (why: string | null) => `It is not well-formed: ${why ?? 'it cannot be read'}`,
  noDomain: (root: string) => `A VM's definition begins with <domain>, not <${root}>.`,
  otherUuid: (uuid: string) =>
    `The UUID has to stay ${uuid}: with another, or none, this would be the definition of another VM.`,
  otherName: (name: string) => `The name has to stay ${name}: editing the XML does not rename a VM.`,
};
