// SPDX-License-Identifier: LGPL-2.1-or-later
// No questions at the first start, and nothing sent to its makers; the log says what there is of a sandbox.
pref("browser.shell.checkDefaultBrowser", false);
pref("browser.aboutwelcome.enabled", false);
pref("browser.preonboarding.enabled", false);
pref("datareporting.policy.dataSubmissionEnabled", false);
pref("security.sandbox.warn_unprivileged_namespaces", false);
