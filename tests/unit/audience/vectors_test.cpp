// SPDX-License-Identifier: Apache-2.0
#include "lib/audience/vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace segue::audience {
namespace {

constexpr size_t kWanted = 10;

std::vector<InterestVector> random_vectors(size_t count, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<InterestVector> vectors(count);
  for (InterestVector& vector : vectors)
    for (float& x : vector) x = normal(random);
  return vectors;
}

// Few directions, many users around each, of any length.
std::vector<InterestVector> clustered_vectors(size_t count, std::mt19937& random) {
  const auto centres = random_vectors(40, random);
  auto vectors = random_vectors(count, random);
  for (InterestVector& vector : vectors) {
    const InterestVector& centre = centres[random() % centres.size()];
    const float length = std::exp(static_cast<float>(random() % 20) - 10.0F);
    for (size_t d = 0; d < vector.size(); ++d) vector[d] = length * (centre[d] + 0.1F * vector[d]);
  }
  return vectors;
}

// The nearest by brute force over the floats.
std::vector<double> exact_best(const std::vector<InterestVector>& vectors, size_t query) {
  std::vector<double> scores;
  for (size_t i = 0; i < vectors.size(); ++i)
    if (i != query) scores.push_back(cosine(vectors[query], vectors[i]));
  std::partial_sort(scores.begin(), scores.begin() + kWanted, scores.end(), std::greater<>());
  scores.resize(kWanted);
  return scores;
}

std::vector<UserNumber> search(const Vectors& vectors, const InterestVector& query, size_t candidates, UserNumber except, size_t slice) {
  SimilarSearch search(query, candidates, except);
  for (UserNumber from = 0; from != kNoUser;) from = search.scan(vectors, from, slice);
  return search.candidates();
}

double recall(const std::vector<InterestVector>& vectors, size_t candidates) {
  Vectors index;
  for (UserNumber user = 0; user < vectors.size(); ++user) index.set(user, vectors[user]);
  size_t found = 0, asked = 0;
  for (UserNumber query = 0; query < vectors.size(); query += static_cast<UserNumber>(vectors.size() / 50)) {
    std::vector<double> scores;
    for (const UserNumber user : search(index, vectors[query], candidates, query, 10'000)) scores.push_back(cosine(vectors[query], vectors[user]));
    std::sort(scores.begin(), scores.end(), std::greater<>());
    const auto want = exact_best(vectors, query);
    for (size_t i = 0; i < kWanted; ++i) found += scores[i] == want[i];
    asked += kWanted;
  }
  return static_cast<double>(found) / static_cast<double>(asked);
}

TEST(AudienceVectors, TwentyCandidatesForEachWantedMissNobody) {
  std::mt19937 random(11);
  EXPECT_EQ(recall(random_vectors(20'000, random), 20 * kWanted), 1.0);
  EXPECT_EQ(recall(clustered_vectors(20'000, random), 20 * kWanted), 1.0);
}

// So that the fact above is not true of anything.
TEST(AudienceVectors, NoSpareCandidatesMissSome) {
  std::mt19937 random(11);
  EXPECT_LT(recall(clustered_vectors(20'000, random), kWanted), 1.0);
}

TEST(AudienceVectors, LengthDoesNotMatter) {
  Vectors index;
  InterestVector vector{};
  vector[3] = 1;
  vector[4] = -2;
  for (const auto& [user, length] : std::vector<std::pair<UserNumber, float>>{{5, 1e-38F}, {6, 1}, {70'000, 1e30F}}) {
    InterestVector scaled = vector;
    for (float& x : scaled) x *= length;
    index.set(user, scaled);
  }
  EXPECT_THAT(search(index, vector, 10, kNoUser, 1000), testing::ElementsAre(5, 6, 70'000));
  EXPECT_NEAR(cosine(vector, {0, 0, 0, -1, 2}), -1.0, 1e-12);
}

TEST(AudienceVectors, WhoIsGoneOrZeroIsNotFound) {
  Vectors index;
  InterestVector vector{};
  vector[0] = 1;
  for (const UserNumber user : {1u, 2u, 3u}) index.set(user, vector);
  index.remove(1);
  index.set(2, InterestVector{});
  index.remove(100'000);
  EXPECT_FALSE(index.has(1));
  EXPECT_TRUE(index.has(3));
  EXPECT_THAT(search(index, vector, 10, kNoUser, 1000), testing::ElementsAre(3));
  EXPECT_THAT(search(index, vector, 10, 3, 1000), testing::IsEmpty());
  EXPECT_THAT(search(index, InterestVector{}, 10, kNoUser, 1000), testing::IsEmpty());
  EXPECT_THAT(search(Vectors(), vector, 10, kNoUser, 1000), testing::IsEmpty());
}

TEST(AudienceVectors, SlicesDoNotMatter) {
  std::mt19937 random(5);
  const auto vectors = random_vectors(10'000, random);
  Vectors index;
  for (UserNumber user = 0; user < vectors.size(); ++user)
    if (user / 4096 != 1) index.set(user, vectors[user]);
  const auto want = search(index, vectors[7], 50, 7, SIZE_MAX / 2);
  EXPECT_EQ(want.size(), 50u);
  for (const size_t slice : {1u, 255u, 4096u, 5000u}) EXPECT_EQ(search(index, vectors[7], 50, 7, slice), want);
}

}  // namespace
}  // namespace segue::audience
