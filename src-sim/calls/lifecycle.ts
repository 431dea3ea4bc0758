// Starting, stopping, pausing, saving.
import { lifecycle } from '../lifecycle.ts';
import type { Handlers } from './handlers.ts';

export const lifecycleCalls: Handlers = {
  domain_create_with_flags: async ({ dom, flags }, { daemon, client }) => {
    const domain = daemon.named(dom);
    await lifecycle.start(daemon, domain, flags, client);
    return { dom: domain.ref };
  },
  domain_shutdown_flags: async ({ dom }, { daemon }) => {
    await lifecycle.shutdown(daemon, daemon.named(dom));
    return {};
  },
  domain_reboot: async ({ dom }, { daemon }) => {
    await lifecycle.reboot(daemon, daemon.named(dom));
    return {};
  },
  domain_reset: async ({ dom }, { daemon }) => {
    await lifecycle.reset(daemon, daemon.named(dom));
    return {};
  },
  domain_destroy_flags: async ({ dom }, { daemon }) => {
    await lifecycle.destroy(daemon, daemon.named(dom));
    return {};
  },
  domain_suspend: async ({ dom }, { daemon }) => {
    await lifecycle.suspend(daemon, daemon.named(dom));
    return {};
  },
  domain_resume: async ({ dom }, { daemon }) => {
    await lifecycle.resume(daemon, daemon.named(dom));
    return {};
  },
  domain_managed_save: async ({ dom }, { daemon }) => {
    await lifecycle.managedSave(daemon, daemon.named(dom));
    return {};
  },
  domain_has_managed_save_image: ({ dom }, { daemon }) => ({ there: daemon.named(dom).saved ? 1 : 0 }),
  domain_managed_save_remove: ({ dom }, { daemon }) => {
    daemon.named(dom).saved = null;
    return {};
  },
};
