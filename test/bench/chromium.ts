// The browser that benches measure in: Debian's, without a GPU, and asking nobody anything.
export const chromiumOptions = {
  executablePath: process.env.DROVER_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
};
