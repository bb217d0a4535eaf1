// SPDX-License-Identifier: LGPL-2.1-or-later
// The pipeline as data: which candidates are taken, how settings get in, and how the line is quoted.
#include <gtest/gtest.h>

#include <set>

#include "pipeline-model.h"

using namespace vitrine;

namespace {

constexpr char kProfile[] =
    "[profile]\nformat=1\ntitle=Test\ncodec=H264\ncapture=fast;slow\nencoder=good;plain\n"
    "[capture fast]\ndisplay-name={display}\n"
    "[capture slow]\n@convert=conv\n@caps=video/x-raw, framerate={framerate}/1\n"
    "[encoder good]\nthreads={threads}\n@check-elements=helper\n"
    "[encoder plain]\nbitrate={bitrate}000\n@caps=video/x-h264\n@bitrate=bitrate*1000\n";

class PipelineModelTest : public testing::Test {
 protected:
  std::optional<PipelineModel> make(const std::vector<std::string>& arguments, const std::set<std::string>& installed,
                                    const std::string& display = "", int cores = 4) {
    Settings settings;
    if (!settings.read(arguments, [](const char*) { return nullptr; }, error))
      return std::nullopt;
    const auto profile = parse_profile({{"p", profile_text}}, {}, error);
    if (!profile)
      return std::nullopt;
    return make_model(*profile, settings, display, cores, [&](const std::string& name) { return installed.contains(name); }, error);
  }
  const std::set<std::string> all{"fast", "slow", "conv", "good", "helper", "plain"};
  std::string error, profile_text = kProfile;
};

}  // namespace

TEST_F(PipelineModelTest, TheFirstCandidateThatIsThereIsTaken) {
  const auto model = make({}, all);
  ASSERT_TRUE(model) << error;
  ASSERT_EQ(model->video.size(), 2U);
  EXPECT_EQ(model->video[0].factory, "fast");
  EXPECT_EQ(model->video[1].factory, "good");
  EXPECT_TRUE(model->bitrate_property.empty());
}

TEST_F(PipelineModelTest, ACandidateWithoutItsHelpersIsPassedOver) {
  const auto model = make({"--framerate=30", "--bitrate=4000"}, {"slow", "conv", "good", "plain"});
  ASSERT_TRUE(model) << error;
  ASSERT_EQ(model->video.size(), 5U);
  EXPECT_EQ(model->video[0].factory, "slow");
  EXPECT_EQ(model->video[1].factory, "capsfilter");
  EXPECT_EQ(model->video[1].properties.at(0).value, "video/x-raw, framerate=30/1");
  EXPECT_EQ(model->video[2].factory, "conv");
  EXPECT_EQ(model->video[3].factory, "plain");
  EXPECT_EQ(model->video[3].properties.at(0).value, "4000000");
  EXPECT_EQ(model->bitrate_property, "bitrate");
  EXPECT_DOUBLE_EQ(bitrate_value(*model, 2500), 2500000);
}

TEST_F(PipelineModelTest, FullChromaIsTakenWhereItIsAskedForAndThere) {
  profile_text += "@caps-444=video/x-h264, profile=high-4:4:4\n";
  profile_text.insert(profile_text.find("[capture slow]"), "@caps=video/x-raw, format=I420\n@caps-444=video/x-raw, format=Y444\n");
  const auto caps = [](const PipelineModel& model) {
    std::vector<std::string> values;
    for (const auto& element : model.video)
      if (element.factory == "capsfilter")
        values.push_back(element.properties.at(0).value);
    return values;
  };
  auto model = make({}, all);
  ASSERT_TRUE(model) << error;
  EXPECT_FALSE(model->full_chroma);
  EXPECT_EQ(caps(*model), std::vector<std::string>{"video/x-raw, format=I420"});

  model = make({"--chroma=444"}, all);
  ASSERT_TRUE(model) << error;
  EXPECT_TRUE(model->full_chroma) << "the encoder that does it goes before the one that does not";
  EXPECT_EQ(caps(*model), (std::vector<std::string>{"video/x-raw, format=Y444", "video/x-h264, profile=high-4:4:4"}));

  model = make({"--chroma=444"}, {"slow", "conv", "plain"});
  ASSERT_TRUE(model) << error;
  EXPECT_TRUE(model->full_chroma);
  EXPECT_EQ(caps(*model), (std::vector<std::string>{"video/x-raw, framerate=60/1", "video/x-h264, profile=high-4:4:4"})) << "what converts will do";

  model = make({"--chroma=444"}, {"fast", "good", "helper"});
  ASSERT_TRUE(model) << error;
  EXPECT_FALSE(model->full_chroma);
  EXPECT_EQ(caps(*model), std::vector<std::string>{"video/x-raw, format=I420"});
}

TEST_F(PipelineModelTest, NothingInstalledNamesWhatWasTriedAndWhatToDo) {
  EXPECT_FALSE(make({}, {"fast"}));
  EXPECT_EQ(error.find("p: none of these elements is installed: good, plain; on Debian: apt install "), 0U) << error;
  EXPECT_FALSE(make({}, {"slow", "good", "helper"}));
  EXPECT_EQ(error.find("p: none of these elements is installed: fast, slow; "), 0U) << error;
}

TEST_F(PipelineModelTest, WhatStandsAroundAnEncoderIsBuiltToo) {
  const auto profile = parse_profile({{"p",
                                       "[profile]\nformat=1\ntitle=T\ncodec=H264\ncapture=src\nencoder=enc\n[capture src]\ncuda-device-id={gpu}\n"
                                       "@convert=first\n[encoder enc]\n@element=real\n@convert=up\n@payload=parse\n@caps=video/x-h264\n"
                                       "[convert up]\n@element=upload\n@caps=video/x-raw\n[payload parse]\n@caps=video/x-h264,alignment=au\n"}},
                                     {}, error);
  ASSERT_TRUE(profile) << error;
  const std::set<std::string> installed{"src", "first", "real", "upload", "parse"};
  const auto line = [&](const Profile& one) {
    Settings settings;
    EXPECT_TRUE(settings.read({}, [](const char*) { return nullptr; }, error));
    const auto model = make_model(one, settings, "", 2, [&](const std::string& name) { return installed.contains(name); }, error);
    EXPECT_TRUE(model) << error;
    const std::string text = model ? launch_line(*model) : "";
    return text.substr(0, text.find(" ! webrtcsignallerbin"));
  };
  EXPECT_EQ(line(*profile),
            "gst-launch-1.0 src name=capture ! first ! upload ! video/x-raw ! real name=encoder ! video/x-h264 ! parse ! "
            "video/x-h264,alignment=au");
  Profile second = *profile;
  second.gpu = "1";
  EXPECT_NE(line(second).find(" src name=capture cuda-device-id=1 ! "), std::string::npos);
  EXPECT_EQ(missing_factories(*profile, profile->encoder[0], [](const std::string& name) { return name == "real"; }),
            (std::vector<std::string>{"upload", "parse"}));
}

TEST_F(PipelineModelTest, CandidatesForOtherVersionsAreDropped) {
  auto profile = parse_profile({{"p",
                                 "[profile]\nformat=1\ntitle=T\ncodec=H264\ncapture=src\nencoder=old;new\n[capture src]\n"
                                 "[encoder old]\n@gstreamer=<1.26\n[encoder new]\n@gstreamer=>=1.26\n"}},
                               {}, error);
  ASSERT_TRUE(profile) << error;
  drop_unfit(*profile, {1, 26, 2});
  ASSERT_EQ(profile->encoder.size(), 1U);
  EXPECT_EQ(profile->encoder[0].name, "new");
  EXPECT_EQ(profile->all_encoders.size(), 1U);
}

TEST_F(PipelineModelTest, ThreadsLeaveACoreAndStopAtFour) {
  const std::pair<int, const char*> cases[] = {{1, "1"}, {2, "1"}, {3, "2"}, {5, "4"}, {64, "4"}};
  for (const auto& [cores, threads] : cases) {
    const auto model = make({}, all, "", cores);
    ASSERT_TRUE(model) << error;
    EXPECT_EQ(model->video[1].properties.at(0).value, threads) << cores;
  }
}

TEST_F(PipelineModelTest, WithoutADisplayNameElementsAreLeftToFindIt) {
  const auto named = make({}, all, ":7");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->video[0].properties.at(0).value, ":7");
  EXPECT_EQ(named->input.properties.at(0).value, ":7");
  const auto unnamed = make({}, all);
  ASSERT_TRUE(unnamed);
  EXPECT_TRUE(unnamed->video[0].properties.empty());
  EXPECT_TRUE(unnamed->input.properties.empty());
}

TEST_F(PipelineModelTest, TheLineQuotesForTheShellAndHidesThePassword) {
  const auto model = make({"--title=Bob's $HOME; desk", "--listen=::1"}, {"slow", "conv", "plain"});
  ASSERT_TRUE(model) << error;
  EXPECT_EQ(launch_line(*model),
            "gst-launch-1.0 slow name=capture ! video/x-raw,framerate=60/1 ! conv ! plain name=encoder bitrate=8000000 ! video/x-h264 "
            "! webrtcsignallerbin name=server port=8080 listen-address=::1 'title=Bob'\\''s $HOME; desk' max-viewers=16 "
            "accounts-file=accounts.txt server.control_src ! tee name=control ! x11inputsink name=input "
            "control. ! x11desktop name=desktop clipboard=both clipboard-limit=33554432 cursor=true resize=auto max-width=3840 "
            "max-height=2400 ! funnel name=words ! server.control_sink control. ! virtualgamepads name=gamepads backend=auto ! words.");
}

TEST_F(PipelineModelTest, WhoeverIsLetInNeedsAPasswordUnlessSaidOtherwise) {
  const auto usual = make({}, all);
  ASSERT_TRUE(usual);
  EXPECT_TRUE(usual->password);
  const auto accounts = make({"--accounts-file=/a"}, all);
  ASSERT_TRUE(accounts);
  EXPECT_FALSE(accounts->password);
  EXPECT_NE(launch_line(*accounts).find(" accounts-file=/a "), std::string::npos);
  const auto open = make({"--no-auth"}, all);
  ASSERT_TRUE(open);
  EXPECT_FALSE(open->password);
  EXPECT_NE(launch_line(*open).find(" auth=none "), std::string::npos);
}

TEST_F(PipelineModelTest, TheFirstScalerThatIsThereStandsBeforeTheEncoder) {
  profile_text.insert(profile_text.find("[encoder good]"), "@scale=gpuscale;scale\n[convert scale]\nmethod=nearest\n");
  auto model = make({}, {"slow", "conv", "scale", "plain"});
  ASSERT_TRUE(model) << error;
  std::vector<std::string> chain;
  for (const auto& element : model->video)
    chain.push_back(element.factory + ":" + element.name);
  EXPECT_EQ(chain, (std::vector<std::string>{"slow:capture", "capsfilter:", "conv:", "scale:scaler", "capsfilter:scaled", "plain:encoder", "capsfilter:"}));
  EXPECT_NE(launch_line(*model).find(" ! scale name=scaler method=nearest ! capsfilter name=scaled ! plain name=encoder "), std::string::npos);

  model = make({}, {"slow", "conv", "plain"});
  ASSERT_TRUE(model) << "without a scaler pictures keep their size: " << error;
  EXPECT_EQ(model->video.size(), 5U);
}

TEST_F(PipelineModelTest, TheSizeOfAFrameIsToldInTheEncodersUnitAndNeverAboveTheProfiles) {
  profile_text += "buffer=250\n@frame-size=buffer*ms\n";
  auto model = make({}, {"slow", "conv", "plain"});
  ASSERT_TRUE(model) << error;
  EXPECT_EQ(model->frame_property, "buffer");
  EXPECT_EQ(frame_value(*model, 12'500, 1000), 100U) << "100 kbit at 1 Mbit/s";
  EXPECT_EQ(frame_value(*model, 125'000, 1000), 250U);
  model->frame_unit = FrameUnit::kilobits;
  EXPECT_EQ(frame_value(*model, 12'500, 1000), 100U);
  model->frame_unit = FrameUnit::bytes;
  model->frame_most = 0;
  EXPECT_EQ(frame_value(*model, 12'500, 1000), 12'500U);
}
