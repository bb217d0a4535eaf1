// SPDX-License-Identifier: LGPL-2.1-or-later
// Shipped profiles against the elements of one version of GStreamer. Hardware encoders register only where the hardware is, so fakes stand
// in for them: elements that do nothing and have the names, properties and ranges listed in tests/launcher/elements.
// usage: test-profiles VERSION ELEMENTS…      GOLDEN_UPDATE=1 writes the golden launch lines anew
#include <glib.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "pipeline-builder.h"
#include "profile-check.h"
#include "profile-files.h"

using namespace vitrine;

namespace {

std::string version_name;
Version version;
std::set<std::string> fakes;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;)
    words.push_back(word);
  return words;
}

GType enum_of(const std::string& type_name, const std::vector<std::string>& nicks) {
  auto* values = new GEnumValue[nicks.size()]{};  // GLib keeps them
  for (size_t i = 1; i < nicks.size(); ++i) {
    const char* nick = g_intern_string(nicks[i].c_str());
    values[i - 1] = {static_cast<gint>(i), nick, nick};
  }
  return g_enum_register_static(type_name.c_str(), values);
}

GParamSpec* spec_of(const std::string& type_name, const char* name, const std::string& text) {
  const auto words = words_of(text);
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE);
  const std::string& type = words.at(0);
  if (type == "boolean")
    return g_param_spec_boolean(name, nullptr, nullptr, FALSE, flags);
  if (type == "string")
    return g_param_spec_string(name, nullptr, nullptr, nullptr, flags);
  if (type == "enum")
    return g_param_spec_enum(name, nullptr, nullptr, enum_of(type_name + "-" + name, words), 1, flags);
  const double low = std::stod(words.at(1)), high = std::stod(words.at(2));
  if (type == "int")
    return g_param_spec_int(name, nullptr, nullptr, static_cast<gint>(low), static_cast<gint>(high), static_cast<gint>(low), flags);
  if (type == "uint")
    return g_param_spec_uint(name, nullptr, nullptr, static_cast<guint>(low), static_cast<guint>(high), static_cast<guint>(low), flags);
  if (type == "uint64")
    return g_param_spec_uint64(name, nullptr, nullptr, 0, G_MAXUINT64, 0, flags);
  if (type == "double")
    return g_param_spec_double(name, nullptr, nullptr, low, high, low, flags);
  g_error("%s: unknown type %s", name, type.c_str());
}

struct FakeClass {
  std::string type_name;
  std::map<std::string, std::string> properties;
};

void init_fake_class(gpointer klass, gpointer data) {
  const auto* fake = static_cast<FakeClass*>(data);
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = [](GObject*, guint, const GValue*, GParamSpec*) {};
  object->get_property = [](GObject*, guint, GValue*, GParamSpec*) {};
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Fake encoder", "Codec/Encoder/Video", "Does nothing", "Vitrine");
  guint id = 0;
  for (const auto& [name, text] : fake->properties)
    g_object_class_install_property(object, ++id, spec_of(fake->type_name, g_intern_string(name.c_str()), text));
}

void add_fakes(const char* path) {
  const std::unique_ptr<GKeyFile, decltype(&g_key_file_free)> file(g_key_file_new(), g_key_file_free);
  GError* error = nullptr;
  if (!g_key_file_load_from_file(file.get(), path, G_KEY_FILE_NONE, &error))
    g_error("%s: %s", path, error->message);
  char** groups = g_key_file_get_groups(file.get(), nullptr);
  for (char** group = groups; *group; ++group) {
    auto* fake = new FakeClass{std::string("Fake-") + *group, {}};  // for as long as its class
    char** keys = g_key_file_get_keys(file.get(), *group, nullptr, nullptr);
    for (char** key = keys; *key; ++key) {
      char* value = g_key_file_get_string(file.get(), *group, *key, nullptr);
      fake->properties[*key] = value;
      g_free(value);
    }
    g_strfreev(keys);
    const GTypeInfo info = {sizeof(GstElementClass), nullptr, nullptr, init_fake_class, nullptr, fake, sizeof(GstElement), 0, nullptr, nullptr};
    const GType type = g_type_register_static(GST_TYPE_ELEMENT, fake->type_name.c_str(), &info, static_cast<GTypeFlags>(0));
    gst_element_register(nullptr, *group, GST_RANK_NONE, type);
    fakes.insert(*group);
  }
  g_strfreev(groups);
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Settings default_settings() {
  Settings made;
  std::string error;
  EXPECT_TRUE(made.read({}, [](const char*) -> const char* { return nullptr; }, error)) << error;
  return made;
}

std::optional<Profile> shipped(const std::string& name) {
  std::string error;
  auto profile = load_profile(std::string(g_getenv("VITRINE_PROFILE_DIR")) + "/" + name + ".profile", error);
  EXPECT_TRUE(profile) << error;
  return profile;
}

class Vendor : public testing::TestWithParam<const char*> {};

}  // namespace

TEST_P(Vendor, EveryCandidateFitsTheElementsOfThisVersion) {
  const auto profile = shipped(GetParam());
  ASSERT_TRUE(profile);
  std::string error;
  ProfileFindings findings;
  EXPECT_TRUE(check_profile(*profile, default_settings(), version, findings, error)) << error;
  // What is not there cannot be checked: only elements of Vitrine's own may be missing.
  const std::set<std::string> own = {"nvstreamenc", "ximagesrc-cuda", "ximagesrc-shm"};
  for (const auto& factory : findings.missing)
    EXPECT_TRUE(own.contains(factory)) << factory << " is in no file of tests/launcher/elements for " << version_name;
}

TEST_P(Vendor, TheLaunchLineOfEachCodecIsAsAgreed) {
  auto profile = shipped(GetParam());
  ASSERT_TRUE(profile);
  drop_unfit(*profile, version);
  const auto exists = [](const std::string& factory) { return fakes.contains(factory) || factory.starts_with("ximagesrc-") || factory == "videoscale"; };
  std::string lines;
  for (const auto& codec : profile->codecs) {
    std::string error;
    const auto model = make_model(with_codec(*profile, codec), default_settings(), ":9", 2, exists, error);
    lines += codec + ": " + (model ? launch_line(*model) : "-") + "\n";
  }
  const std::string golden = std::string(g_getenv("VITRINE_SOURCE_ROOT")) + "/tests/launcher/golden/" + GetParam() + "-" + version_name + ".txt";
  if (g_getenv("GOLDEN_UPDATE"))
    std::ofstream(golden) << lines;
  EXPECT_EQ(lines, text_of(golden));
}

INSTANTIATE_TEST_SUITE_P(Shipped, Vendor, testing::Values("nvidia", "intel", "amd"), [](const auto& instance) { return std::string(instance.param); });

TEST(Fakes, AreHeldToTheirRanges) {
  std::string error;
  for (const auto& name : fakes) {
    const Ref<GstElement> fake = make_element({name, "", {}}, error);
    ASSERT_TRUE(fake) << error;
    if (!writable_property(fake.get(), "bitrate"))
      continue;  // no encoder
    EXPECT_TRUE(make_element({name, "", {{"bitrate", "8000", "here"}}}, error)) << error;
    EXPECT_FALSE(make_element({name, "", {{"bitrate", "-1", "here"}}}, error)) << name;
  }
}

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  if (argc < 3 || std::sscanf(argv[1], "%u.%u", &version.major, &version.minor) != 2) {
    std::fprintf(stderr, "usage: test-profiles VERSION ELEMENTS…\n");
    return 2;
  }
  version_name = argv[1];
  for (int i = 2; i < argc; ++i)
    add_fakes(argv[i]);
  return RUN_ALL_TESTS();
}
