// What is told while Drover itself is out of reach. The command line says it too: nothing is imported here.

export const link = {
  wrongToken:
    'This page’s token is not the running Drover’s. Open the address that “drover serve” printed when it started.',
  noWindow: 'Drover is there but takes no window now. The window tries again by itself.',
  unreachable: 'Drover does not answer. Is “drover serve” running? The window tries again by itself.',
  lost: 'The connection to Drover was lost before it answered.',
};
